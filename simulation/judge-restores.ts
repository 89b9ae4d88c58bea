/** What a plan of a restore may do with an item: what the archive bears out when it was made, and nothing else. */
import { groupBy } from '../delivery/redrive.js'
import { isActing } from '../restore/apply.js'
import { comparableHash } from '../restore/comparable.js'
import type { PlannedChange } from '../restore/restore-plan.js'
import type { ArchivedPast } from './archived-past.js'
import { breaks } from './judge-histories.js'
import { hasTicks, type Identity, keyOf } from './judge-versions.js'
import type { Version } from './table.js'

/** A plan, and what it was made of. */
export interface JudgedPlan {
  /** The moment that it goes back to, in microseconds since 1970. */
  readonly toUs: number
  readonly past: ArchivedPast
  /** Every version that the table had by then. */
  readonly versions: readonly Version[]
  /** What the table held, by the item's key; some of it may have been changed while it was read. */
  readonly present: ReadonlyMap<string, string>
  /** By key what is to happen with items that are not as they were. */
  readonly planned: ReadonlyMap<string, PlannedChange>
}

/** Each a sentence. */
export function wrongPlan(plan: JudgedPlan, identity: Identity): readonly string[] {
  const { toUs, past, versions, present, planned } = plan
  const archived = new Set(past.rows.map(identity.ofRow))
  const wasSeen = new Set(past.rows.flatMap(row => (row.event_name === 'BASELINE' ? [row.item_key] : [])))
  const at = new Date(toUs / 1000).toISOString()
  return [...groupBy(versions, ({ item }) => item)].flatMap(([item, all]) => {
    const there = all.filter(version => archived.has(identity.ofVersion(version)))
    const isWhole = there.length === all.length
    // which of two changes of one time was last, nobody knows; and a baseline says what no change does
    if (hasTicks(all, identity) || (!isWhole && wasSeen.has(keyOf(item)))) return []
    const until = there.filter(version => identity.timeUs(version) <= toUs)
    const was = until.at(-1)?.after ?? (until.length > 0 ? null : (there[0]?.before ?? null))
    const change = planned.get(keyOf(item))
    const acts = change !== undefined && isActing(change)
    const what = `${item} at ${at}, of which ${there.length} of ${all.length} versions are there`
    if (acts && !isSame(change.wanted, was)) return [`restore plans another state than the archive has of ${what}`]
    if (acts && breaks(there.slice(0, until.length + 1))) return [`restore plans with a break before it ${what}`]
    const now = present.get(keyOf(item)) ?? null
    const isCertain = isWhole && !past.late && !past.isLossy && isSame(now, all.at(-1)?.after ?? null)
    if (isCertain && !acts && !isSame(now, was) && !isSealed(change))
      return [`restore leaves ${what}, which it could put back: ${change?.reason ?? 'nothing is planned'}`]
    return []
  })
}

/** Nobody has keys here. */
function isSealed(change: PlannedChange | undefined): boolean {
  return change?.reason?.includes('sealed') === true
}

function isSame(a: string | null, b: string | null): boolean {
  return a === null || b === null ? a === b : comparableHash(a) === comparableHash(b)
}
