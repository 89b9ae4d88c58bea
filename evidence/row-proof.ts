import type { SealedEntry } from '../journal/entry.js'
import type { SignedCheckpoint } from '../proof/checkpoint.js'
import { ProofError } from '../proof/proof-error.js'
import { checkInclusion, decodeLine, formatProof, MAX_PATH, type ProofFile, parseProof } from '../proof/proof-file.js'
import { HASH_BYTES, leafHash } from '../proof/tree.js'

/**
 * A proof that an archive had a row when a checkpoint was signed, as a file that can be handed on: what the row is
 * hashed from, its way to the root over its object's rows, and a `.tlog-proof` of the journal's entry for that object.
 */
export interface RowProof {
  /** The row's number in its object, and how many rows that has. */
  readonly row: number
  readonly rows: number
  /** What `row_hash` is taken over. */
  readonly leaf: string
  /** From the row's hash to the `rows_root` of the entry. */
  readonly path: readonly Buffer[]
  /** Of the entry, which travels in `extra`: it is believed only because its leaf hash is what the path proves. */
  readonly object: ProofFile
}

const HEADER = 'itemtrail.row-proof/v1'

/** What stands before each line of the leaf; no line of base64 begins so. */
const LEAF_MARK = '= '

/** No leaf is longer: its long columns stand in it as hashes. */
const MAX_BYTES = 64 * 1024

/** The text of a `.row-proof`. */
export function formatRowProof({ row, rows, leaf, path, object }: RowProof): string {
  const lines = [
    HEADER,
    `row ${row}`,
    `rows ${rows}`,
    ...leaf.split('\n').map(line => LEAF_MARK + line),
    ...path.map(hash => hash.toString('base64')),
  ]
  return `${lines.join('\n')}\n\n${formatProof(object)}`
}

/** Reads a `.row-proof`; nothing is verified. Throws `ProofError` for what is none. */
export function parseRowProof(text: string): RowProof {
  if (text.length > MAX_BYTES)
    throw new ProofError(`row proof has ${text.length} characters, at most ${MAX_BYTES} are allowed`)
  const end = text.indexOf('\n\n')
  const [header, row, rows, ...lines] = text.slice(0, Math.max(0, end)).split('\n')
  if (header !== HEADER) throw new ProofError(`row proof begins with ${JSON.stringify(header)}, expected "${HEADER}"`)
  const leaf = lines.filter(line => line.startsWith(LEAF_MARK)).map(line => line.slice(LEAF_MARK.length))
  const path = lines.slice(leaf.length).map(line => decodeLine(line, ''))
  if (leaf.length === 0 || path.length > MAX_PATH || path.some(({ length }) => length !== HASH_BYTES))
    throw new ProofError(`row proof has ${leaf.length} lines of a leaf and ${path.length} hashes, which prove nothing`)
  return {
    row: countIn(row, 'row'),
    rows: countIn(rows, 'rows'),
    leaf: leaf.join('\n'),
    path,
    object: parseProof(text.slice(end + 2)),
  }
}

function countIn(line: string | undefined, name: string): number {
  const [, decimal] = /^\w+ (0|[1-9]\d*)$/.exec(line ?? '') ?? []
  if (!line?.startsWith(`${name} `) || decimal === undefined || !Number.isSafeInteger(Number(decimal)))
    throw new ProofError(`row proof has the line ${JSON.stringify(line)}, expected "${name} <whole number>"`)
  return Number(decimal)
}

/** What a row proof shows. */
export interface ProvenRow {
  readonly leaf: string
  readonly row: number
  readonly rows: number
  /** The object that the row lies in, as it was sealed. */
  readonly entry: SealedEntry
  readonly checkpoint: SignedCheckpoint
}

/**
 * Verifies a row proof: the leaf leads to the entry's root over rows, the entry to the checkpoint's, and `open`, which
 * knows the keys from elsewhere, believes the checkpoint. Throws `ProofError` where any of it does not hold.
 */
export function verifyRowProof(
  { row, rows, leaf, path, object }: RowProof,
  open: (checkpoint: string) => SignedCheckpoint,
): ProvenRow {
  const bytes = object.extra ?? new Uint8Array()
  const entry = readEntry(bytes)
  if (entry.rows !== rows) throw new ProofError(`row proof is of ${rows} rows, its object has ${entry.rows}`)
  const root = Buffer.from(entry.rows_root as string, 'hex')
  checkInclusion(leafHash(Buffer.from(leaf)), { index: row, size: rows, path }, root, 'row')
  const checkpoint = open(object.checkpoint)
  checkInclusion(leafHash(bytes), { ...object, size: checkpoint.size }, checkpoint.root, 'entry')
  return { leaf, row, rows, entry, checkpoint }
}

/** The entry that a proof carries; whoever sealed it checked its other fields. */
function readEntry(bytes: Uint8Array): SealedEntry {
  const entry = parseJson(bytes)
  const isOfRows = Number.isSafeInteger(entry?.rows) && /^[0-9a-f]{64}$/.test(String(entry?.rows_root))
  if (entry?.type !== 'object@1' || typeof entry.key !== 'string' || !isOfRows)
    throw new ProofError('row proof carries no entry of an object with rows')
  return entry as SealedEntry
}

function parseJson(bytes: Uint8Array): Partial<SealedEntry> | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) ?? undefined
  } catch {
    return undefined
  }
}
