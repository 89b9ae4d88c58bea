import type { ReadFile } from '../proof/tiles.js'
import { daysOf } from './archive-part.js'
import { wholeSeals } from './bundle-outline.js'
import { readEntries } from './entries.js'
import { decodeEntry, NO_TOTALS, type SealEntry, type SealedEntry, type Totals } from './entry.js'
import type { Head } from './head.js'
import { JournalError } from './journal-error.js'
import { JournalIndex } from './journal-index.js'
import type { LogStore } from './log-store.js'
import { twoSealsAgo } from './verify-objects.js'

/** Which objects a journal names, read up to one size and on from there. */
export class SealedKeys {
  private readonly read: ReadFile

  constructor(
    store: Pick<LogStore, 'read'>,
    private known = new JournalIndex(),
  ) {
    this.read = path => store.read(path)
  }

  /** What can be kept of it. */
  get index(): JournalIndex {
    return this.known
  }

  /** Reads on to the end; what was read before and does not lead there is read again. */
  async readTo(head: Head): Promise<void> {
    try {
      await this.known.readTo(this.read, head)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      this.known = new JournalIndex()
      await this.known.readTo(this.read, head)
    }
  }

  /** The keys that are named in folders that are meant, others among them. */
  async namedIn(isMeant: (folder: string) => boolean): Promise<ReadonlySet<string>> {
    const keys = new Set<string>()
    for await (const { first, leaves, isSigned } of this.known.bundlesOf(this.read, isMeant)) {
      if (!isSigned) throw new JournalError('tile/entries', `has other entries at ${first} than were sealed`)
      for (const [i, bytes] of leaves.entries()) {
        const entry = decodeEntry(bytes, `journal entry ${first + i}`)
        if (entry?.type === 'object@1') keys.add(entry.key)
      }
    }
    return keys
  }

  /** Days of which rows are named, as `daysOf` has them. */
  days(): ReadonlyMap<string, readonly number[]> {
    return daysOf(this.known.known.bundles.map(({ folders }) => folders))
  }

  /** The newest seal that left nothing; undefined where there is none. */
  get lastWhole(): SealEntry | undefined {
    return wholeSeals(this.known.seals).at(-1)
  }

  /** Milliseconds since 1970: what was written until then and is not named, two sealings passed over. */
  get passedUntil(): number {
    return twoSealsAgo(this.known.seals)
  }

  get totals(): Totals {
    const last = this.known.seals.at(-1)
    if (last === undefined) return NO_TOTALS
    const { objects, rows, refused } = last
    return { objects, rows, refused }
  }
}

/** An entry of an object with its place. */
export interface SealedObject {
  readonly index: number
  readonly entry: SealedEntry
}

/** What a journal says of each object, read to its end. */
export class SealedObjects {
  private readonly byKey = new Map<string, SealedObject>()

  constructor(private readonly store: Pick<LogStore, 'read'>) {}

  /** An archive's objects are never rewritten: what was said of a key first holds. */
  async readTo({ size }: Pick<Head, 'size'>): Promise<void> {
    for await (const { index, entry } of readEntries(path => this.store.read(path), { from: 0, to: size, size }))
      if (entry?.type === 'object@1' && !this.byKey.has(entry.key)) this.byKey.set(entry.key, { index, entry })
  }

  get(key: string): SealedObject | undefined {
    return this.byKey.get(key)
  }
}
