import { describeEffect } from '../../cli/show/change.js'
import { showItemKey } from '../../cli/show/item-key.js'
import type { AnsweredHistory } from '../../queries/answers/read-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { stateAt } from '../../queries/verdict/state-at.js'
import type { Step } from '../../queries/verdict/step.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { actorKind } from '../actors.js'
import { linkTo } from '../address.js'
import type { PageAsking, Screen } from '../screen.js'
import { beganOf, itemLink } from '../tables.js'

/** A screen of one item. */
export interface InItem {
  readonly asking: PageAsking
  readonly table: TableConfiguration
  readonly history: AnsweredHistory
}

/** A change of an item, and the step of its history that it is of. */
export interface Placed {
  readonly change: HistoryChange
  readonly step: Step<HistoryChange>
}

/** All changes of an item in their order, oldest first. */
export function changesIn({ steps }: AnsweredHistory): readonly Placed[] {
  return steps.flatMap(step => step.changes.map(change => ({ change, step })))
}

/** Where an item lies. */
export function trailOf(table: TableConfiguration, itemKey: string): Screen['trail'] {
  return [
    [table.table, linkTo(['t', table.table])],
    [showItemKey(itemKey), itemLink(table.table, itemKey)],
  ]
}

/** What an item was at a moment, in microseconds since 1970. */
export async function stateOf(asking: PageAsking, table: TableConfiguration, history: AnsweredHistory, us: number) {
  return stateAt(history, { us }, await beganOf(asking, table))
}

/** A change as the command line's JSON has it. */
export function describe(change: HistoryChange, step: Step<HistoryChange>): object {
  return {
    event_id: change.event_id,
    event_name: change.event_name,
    event_time: formatInstant(change.event_time_us, 6),
    time_precision: change.time_precision,
    actor: change.actor,
    actor_source: change.actor_source,
    actor_kind: actorKind(change),
    last_writer: change.last_writer,
    ...describeEffect(change, step),
  }
}
