import { ProofError } from '../proof/proof-error.js'
import { type ReadFile, readBundle, TILE_WIDTH } from '../proof/tiles.js'
import { decodeEntry, type Entry, type SealEntry } from './entry.js'
import { JournalError } from './journal-error.js'

/** An entry with its place in the journal. */
export interface PlacedEntry {
  readonly index: number
  readonly bytes: Buffer
  /** Undefined of a kind that this version does not know. */
  readonly entry: Entry | undefined
}

/**
 * Entries `from` to `to - 1` of a journal whose end is `size`, in order. Throws a `JournalError` for a bundle that is
 * missing or cannot be read. That they are what was signed is said by `verifyLog` alone.
 */
export async function* readEntries(read: ReadFile, range: EntryRange): AsyncGenerator<PlacedEntry> {
  for await (const { index, bytes } of readLeaves(read, range))
    yield { index, bytes, entry: decodeEntry(bytes, `journal entry ${index}`) }
}

/** Entries `from` to `to - 1` of a journal that ends at `size`. */
interface EntryRange {
  readonly from: number
  readonly to: number
  readonly size: number
}

/** The same as they stand, for whoever needs few of them: decoding takes longer than all else. */
export async function* readLeaves(
  read: ReadFile,
  { from, to, size }: EntryRange,
): AsyncGenerator<Pick<PlacedEntry, 'index' | 'bytes'>> {
  const bundles = Math.ceil(to / TILE_WIDTH)
  const reading = new Map<number, Promise<readonly Buffer[]>>()
  for (let bundle = Math.floor(from / TILE_WIDTH), ahead = bundle; bundle < bundles; bundle++) {
    for (; ahead < Math.min(bundle + READ_AHEAD, bundles); ahead++)
      reading.set(ahead, watched(bundleOf(read, ahead, Math.min(TILE_WIDTH, size - ahead * TILE_WIDTH))))
    const first = bundle * TILE_WIDTH
    const entries = (await reading.get(bundle)) as readonly Buffer[]
    reading.delete(bundle)
    for (const [i, bytes] of entries.entries()) {
      const index = first + i
      if (index >= from && index < to) yield { index, bytes }
    }
  }
}

/** The seal that a journal of a size ends with; undefined where it has not begun. */
export async function newestSeal(read: ReadFile, size: number): Promise<SealEntry | undefined> {
  for await (const { entry } of readEntries(read, { from: Math.max(size - 1, 0), to: size, size }))
    if (entry?.type === 'seal@1') return entry
  return undefined
}

/** Bundles that are asked for before they are needed: a bucket answers each after some tens of milliseconds. */
const READ_AHEAD = 8

/** Whoever stops reading does not wait for what was asked for ahead, and its failure is nobody's. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

async function bundleOf(read: ReadFile, index: number, width: number): Promise<readonly Buffer[]> {
  try {
    return await readBundle(read, { index, width })
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    throw new JournalError(`tile/entries (bundle ${index})`, `cannot be read: ${error.message}`, { cause: error })
  }
}
