import { readEntries } from './entries.js'
import { NO_TOTALS, type ObjectEntry, type SealEntry, type Totals } from './entry.js'
import type { Head } from './head.js'
import type { LogStore } from './log-store.js'

/** An entry of an object with its place. */
export interface SealedObject {
  readonly index: number
  readonly entry: ObjectEntry
}

/** What a journal says of the archive's objects, read up to one size and on from there. */
export class SealedObjects {
  private readonly byKey = new Map<string, SealedObject>()
  private size = 0
  private last: SealEntry | undefined

  constructor(private readonly store: LogStore) {}

  /** Reads on to the end. */
  async readTo(head: Pick<Head, 'size'>): Promise<void> {
    const range = { from: this.size, to: head.size, size: head.size }
    for await (const { index, entry } of readEntries(path => this.store.read(path), range)) {
      if (entry?.type === 'object@1') this.keep(index, entry)
      if (entry?.type === 'seal@1') this.last = entry
    }
    this.size = head.size
  }

  /** An archive's objects are never rewritten: what was said of a key first holds. */
  private keep(index: number, entry: ObjectEntry): void {
    if (!this.byKey.has(entry.key)) this.byKey.set(entry.key, { index, entry })
  }

  get(key: string): SealedObject | undefined {
    return this.byKey.get(key)
  }

  all(): Iterable<SealedObject> {
    return this.byKey.values()
  }

  get count(): number {
    return this.byKey.size
  }

  /** The newest seal; undefined where nothing was sealed. */
  get lastSeal(): SealEntry | undefined {
    return this.last
  }

  get totals(): Totals {
    if (this.last === undefined) return NO_TOTALS
    const { objects, rows, refused } = this.last
    return { objects, rows, refused }
  }
}
