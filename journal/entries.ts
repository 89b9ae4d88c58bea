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
export async function* readEntries(
  read: ReadFile,
  { from, to, size }: { readonly from: number; readonly to: number; readonly size: number },
): AsyncGenerator<PlacedEntry> {
  const numbers = numbersBetween(Math.floor(from / TILE_WIDTH), Math.ceil(to / TILE_WIDTH))
  for await (const { first, leaves } of readBundles(read, numbers, size))
    for (const [i, bytes] of leaves.entries()) {
      const index = first + i
      if (index >= from && index < to) yield { index, bytes, entry: decodeEntry(bytes, `journal entry ${index}`) }
    }
}

/** Whole numbers from one to before another. */
export function numbersBetween(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i)
}

/** The entries of a bundle as they stand, and the place of the first. */
export interface EntryBundle {
  readonly first: number
  readonly leaves: readonly Buffer[]
}

/** The bundles of these numbers of a journal whose end is `size`, as they stand. Throws as `readEntries` does. */
export async function* readBundles(
  read: ReadFile,
  numbers: readonly number[],
  size: number,
): AsyncGenerator<EntryBundle> {
  const reading: Promise<readonly Buffer[]>[] = []
  for (const [i, number] of numbers.entries()) {
    for (const ahead of numbers.slice(i + reading.length, i + READ_AHEAD))
      reading.push(watched(bundleOf(read, ahead, Math.min(TILE_WIDTH, size - ahead * TILE_WIDTH))))
    yield { first: number * TILE_WIDTH, leaves: (await reading.shift()) as readonly Buffer[] }
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
