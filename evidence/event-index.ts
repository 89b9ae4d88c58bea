import { z } from 'zod'
import { checkJson, count, exactly, FileError, readBounded, record, text } from '../config/gate.js'
import { keepState, stateFile } from '../store/state-file.js'

/**
 * In which objects a table's events may lie, so that the proof of one row opens one object. For each row it holds the
 * first four bytes of its event's id, in the order of the archive, which is read in a millisecond a million. Nothing
 * rests on it: whoever asks reads the row that it leads to, and searches everything where it leads nowhere.
 */

const VERSION = 'event-index/v1'

/** Hex characters of an id that are four bytes. */
export const INDEXED_CHARACTERS = 8

/** More would take too much memory: of such a table each object is looked into, as without an index. */
const MAX_ROWS = 100_000_000
const BYTES = 4
const MAX_HEADER_BYTES = 256 * 1024 ** 2

const header = record({
  version: exactly(VERSION),
  objects: z.array(z.tuple([text, count], 'a key and how many rows it has'), 'objects'),
})

/** The beginnings of the ids in an object, one for each row. */
export type EventStarts = Uint32Array

/** How those are read; an object that cannot be read is left out. */
export type ReadStarts = (keys: readonly string[]) => Promise<ReadonlyMap<string, EventStarts>>

/** Objects with how many rows each has, and the beginnings of their ids one behind the other. */
interface EventIndex {
  readonly objects: readonly (readonly [key: string, rows: number])[]
  readonly starts: EventStarts
}

const NOTHING: EventIndex = { objects: [], starts: new Uint32Array() }

/** The objects among `keys`, which are all that a table has, in which the index has ids that begin like these. */
export async function objectsOfEvents(
  { root, table, keys }: { readonly root: string; readonly table: string; readonly keys: readonly string[] },
  ids: readonly string[],
  read: ReadStarts,
): Promise<readonly string[]> {
  const path = stateFile(root, ['events', 'index'], table)
  const kept = readKept(path)
  if (rowsIn(kept) > MAX_ROWS) return []
  const index = await updated(kept, keys, read)
  if (index !== kept) keep(path, index)
  return holding(index, new Set(ids.flatMap(startOf)))
}

/** The first four bytes of an id; none where it has fewer, or is none. */
function startOf(id: string): readonly number[] {
  const start = id.slice(0, INDEXED_CHARACTERS)
  return /^[0-9a-f]{8}$/.test(start) ? [Number.parseInt(start, 16)] : []
}

function rowsIn({ objects }: Pick<EventIndex, 'objects'>): number {
  return objects.reduce((sum, [, rows]) => sum + rows, 0)
}

/** Up to so many ids are looked for one by one, which for one is many times as fast. */
const FEW = 16

function holding(index: EventIndex, wanted: ReadonlySet<number>): readonly string[] {
  const { objects, starts } = index
  const holds = (from: number, to: number) => {
    const of = starts.subarray(from, to)
    return wanted.size > FEW ? of.some(start => wanted.has(start)) : [...wanted].some(start => of.includes(start))
  }
  let at = 0
  return objects.flatMap(([key, rows]) => {
    at += rows
    return holds(at - rows, at) ? [key] : []
  })
}

/** What is kept, with the objects that have come since and without those that are gone. */
async function updated(kept: EventIndex, keys: readonly string[], read: ReadStarts): Promise<EventIndex> {
  const known = new Map<string, EventStarts>()
  let at = 0
  for (const [key, rows] of kept.objects) {
    known.set(key, kept.starts.subarray(at, at + rows))
    at += rows
  }
  const missing = keys.filter(key => !known.has(key))
  const found = missing.length === 0 ? new Map<string, EventStarts>() : await read(missing)
  const all = keys.flatMap(key => {
    const starts = known.get(key) ?? found.get(key)
    return starts === undefined ? [] : [[key, starts] as const]
  })
  if (found.size === 0 && all.length === known.size) return kept
  const objects = all.map(([key, { length }]) => [key, length] as const)
  const starts = new Uint32Array(rowsIn({ objects }))
  at = 0
  for (const [, of] of all) {
    starts.set(of, at)
    at += of.length
  }
  return { objects, starts }
}

/** Nothing where there is none, or none that can be read. */
function readKept(path: string): EventIndex {
  try {
    const bytes = readBounded(path, path, { maxBytes: MAX_HEADER_BYTES + MAX_ROWS * BYTES })
    return bytes === undefined ? NOTHING : split(bytes, path)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return NOTHING
  }
}

/** The header is a line, filled up so that what is behind it begins at a whole number of entries. */
function split(bytes: Buffer, path: string): EventIndex {
  const end = bytes.indexOf('\n') + 1
  const { objects } = checkJson(bytes.subarray(0, end), header, path, { maxBytes: MAX_HEADER_BYTES })
  const rows = rowsIn({ objects })
  const at = bytes.byteOffset + end
  if (rows > MAX_ROWS) return { objects, starts: NOTHING.starts }
  if (end + rows * BYTES !== bytes.length || at % BYTES !== 0)
    throw new FileError(path, [`has ${bytes.length} bytes, which are not those of ${rows} rows`])
  return { objects, starts: new Uint32Array(bytes.buffer, at, rows) }
}

/** Of too many rows their number alone, so that nobody reads them again. */
function keep(path: string, { objects, starts }: EventIndex): void {
  const line = Buffer.from(JSON.stringify({ version: VERSION, objects }))
  const rest = `${' '.repeat(BYTES - 1 - (line.length % BYTES))}\n`
  const { buffer, byteOffset, byteLength } = starts
  const body = rowsIn({ objects }) > MAX_ROWS ? [] : [new Uint8Array(buffer, byteOffset, byteLength)]
  keepState(path, [line, rest, ...body])
}
