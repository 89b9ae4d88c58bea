/** Which changes of an item a restore made: its fact lists what it wrote, and when. */

import type { ItemHistory } from '../queries/verdict/fold-history.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import { factMicroseconds, type RestoreFact } from '../transform/fact.js'

/** What is known of a change about a restore. */
export interface RestoredBy {
  readonly fact: RestoreFact
  /**
   * True where the fact lists this very state of the item, and no other change within its time leads to it. Where it is
   * false the change was made within that time, by the restore or by somebody else.
   */
  readonly certain: boolean
}

/** How far the clock of who restored may be from the one that times changes; times may be cut to the minute, too. */
const CLOCKS_US = 60 * 1_000_000

/** Found once for each history: it is asked for each of its changes. */
const known = new WeakMap<ItemHistory, ReadonlyMap<string, RestoredBy>>()

/**
 * The restore of each change that was made by one, or may have been, by `event_id`. The newest fact of a plan tells the
 * most.
 */
export function restoredBy(history: ItemHistory): ReadonlyMap<string, RestoredBy> {
  const found = known.get(history) ?? findRestores(history)
  known.set(history, found)
  return found
}

function findRestores({ itemKey, changes, facts }: ItemHistory): ReadonlyMap<string, RestoredBy> {
  const found = new Map<string, RestoredBy>()
  for (const fact of facts.restores) {
    const within = changes.filter(change => isWithin(change, fact))
    const made = fact.written === null ? within : within.filter(change => isListed(itemKey, change, fact))
    const certain = fact.written !== null && made.length === 1
    for (const { event_id } of made) if (found.get(event_id)?.certain !== true) found.set(event_id, { fact, certain })
  }
  return found
}

function isWithin({ event_time_us: us, event_name: name }: HistoryChange, { from, to }: RestoreFact): boolean {
  return name !== 'BASELINE' && us >= factMicroseconds(from) - CLOCKS_US && us <= factMicroseconds(to) + CLOCKS_US
}

function isListed(
  itemKey: string,
  { new_hash: hash, event_name: name }: HistoryChange,
  { written }: RestoreFact,
): boolean {
  const item = written?.find(other => other.itemKey === itemKey)
  return item !== undefined && (item.hash === null ? name === 'REMOVE' : item.hash === hash)
}
