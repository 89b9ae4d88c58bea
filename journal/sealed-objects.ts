import { readEntries } from './entries.js'
import { NO_TOTALS, type SealEntry, type SealedEntry, type Totals } from './entry.js'
import type { Head } from './head.js'
import type { LogStore } from './log-store.js'
import { twoSealsAgo } from './verify-objects.js'

/** An entry of an object with its place. */
export interface SealedObject {
  readonly index: number
  readonly entry: SealedEntry
}

/** Which objects a journal names, read up to one size and on from there. */
export class SealedKeys {
  private readonly keys = new Set<string>()
  private size = 0
  private last: SealEntry | undefined
  private readonly wholes: SealEntry[] = []

  constructor(private readonly store: LogStore) {}

  /** Reads on to the end. */
  async readTo(head: Pick<Head, 'size'>): Promise<void> {
    const range = { from: this.size, to: head.size, size: head.size }
    for await (const { index, entry } of readEntries(path => this.store.read(path), range)) {
      if (entry?.type === 'object@1') this.keep(index, entry)
      if (entry?.type === 'seal@1') this.last = entry
      if (entry?.type === 'seal@1' && entry.partial === undefined) this.wholes.push(entry)
    }
    this.size = head.size
  }

  /** Told each entry of an object, in order. */
  protected keep(_index: number, { key }: SealedEntry): void {
    this.keys.add(key)
  }

  has(key: string): boolean {
    return this.keys.has(key)
  }

  get count(): number {
    return this.keys.size
  }

  /** The newest seal; undefined where nothing was sealed. */
  get lastSeal(): SealEntry | undefined {
    return this.last
  }

  /** The newest seal that left nothing; undefined where there is none. */
  get lastWhole(): SealEntry | undefined {
    return this.wholes.at(-1)
  }

  /** Milliseconds since 1970: what was written until then and is not named, two sealings passed over. */
  get passedUntil(): number {
    return twoSealsAgo(this.wholes)
  }

  get totals(): Totals {
    if (this.last === undefined) return NO_TOTALS
    const { objects, rows, refused } = this.last
    return { objects, rows, refused }
  }
}

/** The same with what it says of each. */
export class SealedObjects extends SealedKeys {
  private readonly byKey = new Map<string, SealedObject>()

  /** An archive's objects are never rewritten: what was said of a key first holds. */
  protected override keep(index: number, entry: SealedEntry): void {
    super.keep(index, entry)
    if (!this.byKey.has(entry.key)) this.byKey.set(entry.key, { index, entry })
  }

  get(key: string): SealedObject | undefined {
    return this.byKey.get(key)
  }

  all(): Iterable<SealedObject> {
    return this.byKey.values()
  }
}
