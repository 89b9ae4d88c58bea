import { REFUSED_PREFIX } from '../transform/layout.js'
import type { Entry, SealedEntry } from './entry.js'

const DAY_MS = 86_400_000

/**
 * What of an archive's refused objects its bucket may have forgotten: S3 removes them after some days, and then nobody
 * altered anything. It is told each entry, in the journal's order.
 */
export class RefusedExpiry {
  /** Of each a time at which it was not there yet. */
  private readonly notBefore = new Map<string, number>()
  private lastWhole = Number.NEGATIVE_INFINITY

  constructor(
    readonly days: number,
    private readonly now: () => number = Date.now,
  ) {}

  add(entry: Entry): void {
    if (entry.type === 'seal@1' && entry.partial === undefined) this.lastWhole = Date.parse(entry.time)
    if (entry.type === 'object@1' && entry.key.startsWith(REFUSED_PREFIX) && !this.notBefore.has(entry.key))
      this.notBefore.set(entry.key, this.lastWhole)
  }

  /** The same of some entries in a row, of which nobody is told what came before but for the newest whole seal. */
  addBundle(wholeBefore: number | null, entries: readonly Entry[]): void {
    this.lastWhole = wholeBefore ?? Number.NEGATIVE_INFINITY
    for (const entry of entries) this.add(entry)
  }

  /** True of an object that lay in a bucket so long ago that it is forgotten, or may be. A folder forgets nothing. */
  mayHaveExpired({ key, version_id: version }: SealedEntry): boolean {
    const notBefore = version === undefined ? undefined : this.notBefore.get(key)
    return notBefore !== undefined && this.now() >= notBefore + this.days * DAY_MS
  }
}
