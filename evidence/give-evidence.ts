import type { JournalIdentity } from '../journal/head.js'
import { openCheckpoint } from '../proof/checkpoint.js'
import type { Verifier } from '../proof/note.js'
import { openByPolicy, type Policy } from '../proof/policy.js'
import type { Answer } from '../queries/answers/answer.js'
import type { AskedArchive } from '../queries/answers/asked-archive.js'
import { namedTables } from '../queries/answers/objects-read.js'
import { makeReceipt, type Receipt } from '../queries/answers/receipt.js'
import { nearUnknownPath } from '../queries/attribute-name.js'
import { DiskArchive } from '../store/folder.js'
import { keptConfigurations } from '../store/kept-configurations.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type BundleParts, makeBundle } from './bundle.js'
import { type EvidenceDesk, withDesk } from './evidence-desk.js'
import { EvidenceError } from './evidence-error.js'
import { eventsOfPrefix, type FoundRow, rowsOfEvents } from './found-rows.js'
import { countLeftOut, redactionOf } from './redact.js'
import { restingEvents } from './resting-rows.js'
import { formatRowProof, type ProvenRow, parseRowProof, verifyRowProof } from './row-proof.js'
import { refuseTaken, writeBundle } from './write-bundle.js'

/** What commands call: proofs and bundles out of the archive in a folder. */

/** An answer of which evidence is wanted. */
export interface EvidenceRequest extends Pick<BundleParts, 'answer' | 'title' | 'plainColumns' | 'disarm'> {
  readonly archive: AskedArchive
  /** The archive's folder. */
  readonly root: string
  /** The journal's name, and the keys that may have signed it. */
  readonly identity: JournalIdentity
  /** @default - the receipt is made, its verdict asked of the archive */
  readonly receipt?: Receipt | undefined
  /** Paths of attributes that are left out. @default - none */
  readonly redact?: readonly string[] | undefined
}

/** What a bundle has. */
export interface GivenEvidence {
  readonly rows: number
  /** Of how many rows an image was left out, by path. */
  readonly leftOut: ReadonlyMap<string, number>
  /** The checkpoint that the rows are proven under. */
  readonly checkpoint: string
}

/**
 * Writes the bundle of an answer into a folder that is new or empty, whole or not at all. Throws an `EvidenceError`
 * for what cannot be proven.
 */
export async function giveEvidence(folder: string, request: EvidenceRequest): Promise<GivenEvidence> {
  const { archive, root, identity, answer, redact = [] } = request
  refuseTaken(folder)
  const tables = tablesOf(answer, archive)
  const kept = await Promise.all(tables.map(({ table }) => keptConfigurations(new DiskArchive(root), table)))
  const redaction = redactionOf(redact, kept.flat())
  const receipt = request.receipt ?? (await makeReceipt(answer, archive))
  return withDesk(root, identity, async ({ prover, rowsOf }) => {
    const rows: FoundRow[] = []
    const events = await restingEvents(archive.engine, answer, tables)
    for (const table of tables) {
      for (const row of await rowsOfEvents(await rowsOf(table), events)) rows.push(row)
    }
    const found = new Set(rows.map(({ row }) => row.event_id))
    const lost = events.find(event => !found.has(event))
    if (lost !== undefined) throw new EvidenceError(`event ${lost} of the answer has no row in the archive`)
    const leftOut =
      redaction === undefined
        ? new Map()
        : countLeftOut(
            rows.map(({ row }) => row),
            redaction,
          )
    await refuseUnknownPaths(leftOut, archive, tables)
    writeBundle(folder, await makeBundle({ ...request, receipt, rows, prover, redaction }))
    return { rows: rows.length, leftOut, checkpoint: prover.checkpoint }
  })
}

/** A path with a typing error would leave nothing out, and what it should have hidden were handed on. */
async function refuseUnknownPaths(
  leftOut: ReadonlyMap<string, number>,
  { engine }: AskedArchive,
  tables: readonly TableConfiguration[],
): Promise<void> {
  for (const [path, rows] of leftOut) {
    if (rows > 0) continue
    const near = await Promise.all(tables.map(table => nearUnknownPath(engine, table, path)))
    if (near.includes(undefined)) continue
    const known = near.flat().join(', ')
    throw new EvidenceError(
      `path ${JSON.stringify(path)} is in no image of ${tables.map(({ table }) => table).join(', ')}, so nothing were left out`,
      known === '' ? undefined : `expected names such as ${known}; a list is left out whole`,
    )
  }
}

function tablesOf({ asked }: Answer, archive: AskedArchive): readonly TableConfiguration[] {
  if (asked.table !== undefined) return [archive.table(asked.table)]
  return namedTables(
    asked.sql,
    archive.tables().map(name => archive.table(name)),
  )
}

/** The `.row-proof` of an event. */
export interface ProvenEvent {
  readonly eventId: string
  /** The text of the file. */
  readonly proof: string
}

/**
 * The proofs of a table's events, those left out that have no row. Throws an `EvidenceError` for what cannot be
 * proven.
 */
export async function proveEvents(
  root: string,
  identity: JournalIdentity,
  table: TableConfiguration,
  eventIds: readonly string[],
): Promise<readonly ProvenEvent[]> {
  return withDesk(root, identity, desk => proofsOf(desk, table, eventIds))
}

/**
 * The proof of the only event whose id begins so; undefined where there is none. Throws an `EvidenceError` for
 * several, and for what cannot be proven.
 */
export async function proveEvent(
  root: string,
  identity: JournalIdentity,
  table: TableConfiguration,
  prefix: string,
): Promise<ProvenEvent | undefined> {
  return withDesk(root, identity, async desk => {
    const isWhole = prefix.length === EVENT_ID_LENGTH
    const ids = isWhole ? [prefix] : await eventsOfPrefix(await desk.rowsOf(table), prefix, SHOWN_IDS)
    if (ids.length > 1)
      throw new EvidenceError(
        `event ${JSON.stringify(prefix)} is the beginning of several ids`,
        `more of the id tells one: ${ids.join(', ')}${ids.length === SHOWN_IDS ? ', ...' : ''}`,
      )
    return (await proofsOf(desk, table, ids))[0]
  })
}

async function proofsOf(
  { prover, rowsOf }: EvidenceDesk,
  table: TableConfiguration,
  eventIds: readonly string[],
): Promise<readonly ProvenEvent[]> {
  const proofs: ProvenEvent[] = []
  for (const found of await rowsOfEvents(await rowsOf(table), eventIds))
    proofs.push({ eventId: String(found.row.event_id), proof: formatRowProof(await prover.prove(found)) })
  return proofs
}

const EVENT_ID_LENGTH = 32

/** Ids that are shown where the beginning of one fits several. */
const SHOWN_IDS = 5

/**
 * What a `.row-proof` shows by a key that did not come with it, or by a policy with witnesses. Throws a `ProofError`
 * where it shows nothing.
 */
export function checkRowProof(text: string, key: Verifier, policy?: Policy): ProvenRow {
  const open = (checkpoint: string) =>
    policy === undefined ? openCheckpoint(checkpoint, key.name, [key]) : openByPolicy(checkpoint, key.name, policy)
  return verifyRowProof(parseRowProof(text), open)
}
