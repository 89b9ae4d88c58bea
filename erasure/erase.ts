/**
 * The act: a fence, then the key, then a certificate. Each step can be repeated, and whoever is killed between two goes
 * on from there.
 */
import { keepFact, readFacts } from '../store/kept-facts.js'
import type { Objects } from '../store/objects.js'
import { readRefused, refusedObjects } from '../store/refused-reader.js'
import {
  type ErasingFact,
  type ErasureFact,
  FACT_VERSION,
  type Fact,
  factInstant,
  factMicroseconds,
} from '../transform/fact.js'
import type { Hold } from './holds.js'
import type { KeyStore, SubjectKeys } from './subject-keys.js'
import { countSubject, type SubjectCount, type SubjectRows } from './subject-rows.js'
import { searchedOf } from './unsearched.js'

/** Who is to be erased, why, and who asks for it. */
export interface EraseRequest {
  readonly id: string
  readonly reason: string
  readonly ticket: string | null
  readonly by: string
}

/** Where refused records are kept, and what its keys are told after, such as the address of a bucket. */
export interface RefusedPlace {
  readonly at: string
  readonly objects: Objects
}

/** Where a person's data and key are. */
export interface ErasurePlace extends SubjectRows {
  readonly archive: Objects
  readonly keys: KeyStore
  /** Where records are kept that were refused, which nobody has sealed. */
  readonly refused: readonly RefusedPlace[]
  /** By how much the clock of these places may be behind this one, in milliseconds. @default - 0: it is this one */
  readonly clockMs?: number
  /** What of a table cannot be searched for an id, and has to be by somebody else. @default - all is searched */
  readonly unsearched?: (table: string) => Promise<readonly string[]>
  /** The tables that have erasable values. */
  readonly tables: readonly string[]
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
  /** From 0 to below 1. @default - Math.random */
  readonly random?: () => number
}

/** A person, with where keys and rows are. */
export interface SubjectPlace extends ErasurePlace {
  readonly id: string
  readonly token: string
  /** Opens the keys of the person, for who may. */
  readonly reveal: () => Promise<Pick<SubjectKeys, 'find'>>
}

/** What came of an erasure: cases that hold it back, or the certificates, one a table. */
export type ErasureOutcome =
  | { readonly kind: 'held'; readonly holds: readonly Hold[] }
  | { readonly kind: 'erased'; readonly certificates: readonly ErasureFact[] }

/** Destroys a person's key, so that what was sealed under it is unreadable for good. */
export async function eraseSubject(place: ErasurePlace, request: EraseRequest): Promise<ErasureOutcome> {
  const { keys, tables, now = Date.now } = place
  const token = keys.tokenOf(request.id)
  const name = { token, generation: (await keys.newest(token))?.generation ?? 1 }
  const holds = await keys.holdsOf(token)
  if (holds.length > 0) return { kind: 'held', holds }
  const fences: ErasingFact[] = []
  for (const table of tables) fences.push(await raiseFence(place, table, name, request))
  await keys.fence(name)
  // a case may have been opened meanwhile; from here on it would see the fence
  const late = await keys.holdsOf(token)
  if (late.length > 0) return { kind: 'held', holds: late }
  await keys.destroy(name)
  const destroyed = now()
  const search = { searched: factInstant((now() - (place.clockMs ?? 0)) * 1000), newest: await newestRefused(place) }
  const clear = await clearRecords(place, request.id)
  const certificates: ErasureFact[] = []
  for (const fence of fences) {
    const { table } = fence
    const count = await countSubject(place, table, { token, id: request.id })
    const unsearched = (await place.unsearched?.(table)) ?? []
    const pending = [...clear, ...clearRows(count), ...unsearched]
    certificates.push(await certify(place, fence, destroyed, { count, pending, ...search }))
  }
  return { kind: 'erased', certificates }
}

/** The fence of a table that is there, or a new one. */
async function raiseFence(
  place: ErasurePlace,
  table: string,
  name: { readonly token: string; readonly generation: number },
  { reason, ticket, by }: EraseRequest,
): Promise<ErasingFact> {
  const { archive } = place
  const known = factsOf(await readFacts(archive, table), 'erasing', name)[0]
  if (known !== undefined) return known
  const recorded = recordedAt(place)
  const fence: ErasingFact = { version: FACT_VERSION, kind: 'erasing', table, recorded, ...name, reason, ticket, by }
  await keepFact(archive, fence)
  return fence
}

/** What was looked at for a certificate. */
interface Found {
  readonly count: SubjectCount
  readonly pending: readonly string[]
  /** What was refused by this instant was searched. */
  readonly searched: string
  /** When the newest refused object was written, in microseconds since 1970. */
  readonly newest: number
}

/** The certificate that is there, if it still says what is left to do and nothing was refused since; else a new one. */
async function certify(
  place: ErasurePlace,
  fence: ErasingFact,
  destroyedMs: number,
  { count: { objects, rows, values }, pending, searched, newest }: Found,
): Promise<ErasureFact> {
  const { archive, keys } = place
  const { table, recorded: asked } = fence
  const known = factsOf(await readFacts(archive, table), 'erasure', fence).at(-1)
  const isSearched = known !== undefined && newest <= factMicroseconds(searchedOf(known))
  if (isSearched && known.pending.join('\n') === pending.join('\n') && known.rows === rows) return known
  const destroyed = known?.destroyed ?? factInstant(destroyedMs * 1000)
  const effective = known?.effective ?? factInstant((destroyedMs + keys.lingersMs) * 1000)
  const certificate: ErasureFact = {
    ...fence,
    kind: 'erasure',
    recorded: recordedAt(place),
    asked,
    destroyed,
    effective,
    objects,
    rows,
    values,
    pending,
    searched,
  }
  await keepFact(archive, certificate)
  return certificate
}

/** The facts of an erasure among those of a table, oldest first. */
export function factsOf<K extends 'erasing' | 'erasure'>(
  facts: readonly Fact[],
  kind: K,
  { token, generation }: { readonly token: string; readonly generation?: number },
): readonly Extract<Fact, { kind: K }>[] {
  return facts.filter(
    (fact): fact is Extract<Fact, { kind: K }> =>
      fact.kind === kind &&
      (fact as ErasingFact).token === token &&
      (generation === undefined || (fact as ErasingFact).generation === generation),
  )
}

function clearRows({ table, clear }: SubjectCount): readonly string[] {
  if (clear === 0) return []
  return [`${clear} rows of ${table} name the person in clear: they were made before all was sealed that is erasable`]
}

async function newestRefused({ refused }: ErasurePlace): Promise<number> {
  let newest = Number.NEGATIVE_INFINITY
  for (const { objects } of refused)
    for (const { modified } of await refusedObjects(objects)) newest = Math.max(newest, modified * 1000)
  return newest
}

/** Refused records are kept as they came, so they may name anybody. */
async function clearRecords({ refused }: ErasurePlace, id: string): Promise<readonly string[]> {
  const found = new Map<string, number>()
  const damaged = new Set<string>()
  for (const { at, objects } of refused)
    for await (const { object, entry } of readRefused(objects, key => damaged.add(`${at}${key}`)))
      if (holdsText(entry.data.toString(), id)) found.set(`${at}${object}`, (found.get(`${at}${object}`) ?? 0) + 1)
  return [
    ...[...found].map(
      ([key, count]) => `${key} has ${count} refused records with the id in clear: redrive or delete it`,
    ),
    ...[...damaged].map(key => `${key} is damaged, and may name the person in clear: delete it`),
  ]
}

/** True of JSON, be it broken, that has a text in it however its characters are escaped: `\u00e9`, `\/`. */
function holdsText(json: string, text: string): boolean {
  const plain = json.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code?: string, letter?: string) =>
    code === undefined ? (CONTROLS.get(letter ?? '') ?? `${letter}`) : String.fromCharCode(Number.parseInt(code, 16)),
  )
  return plain.includes(text)
}

const CONTROLS = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** A fact's name is its time, so two of one millisecond must not be of one microsecond. */
function recordedAt({ now = Date.now, random = Math.random }: ErasurePlace): string {
  return factInstant(now() * 1000 + Math.floor(random() * 1000))
}
