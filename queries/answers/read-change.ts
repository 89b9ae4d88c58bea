import type { Table } from 'apache-arrow'
import type { QueryEngine } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import type { FoundEvent } from '../find-event.js'
import type { HistoryChange } from '../verdict/item-change.js'
import { type EventObject, objectsOfEvent } from '../verdict/sealed-event.js'
import type { Step } from '../verdict/step.js'
import { type AnsweredHistory, readHistory } from './read-history.js'

/** One change, its place in the history of its item, and where it lies. */
export interface AnsweredChange {
  readonly history: AnsweredHistory
  readonly change: HistoryChange
  readonly step: Step<HistoryChange>
  /** Its number in the order of the item's changes, from 1; rows of baselines count. */
  readonly place: number
  readonly earlier: HistoryChange | undefined
  readonly later: HistoryChange | undefined
  /** The whole row, as `item-history` answers it, and the same as a table. */
  readonly row: Row
  readonly table: Table
  /** The objects that hold it; null where nobody looks. */
  readonly objects: readonly EventObject[] | null
}

/** Reads a change that was found. Throws where the history of its item lacks it. */
export async function readChange(
  engine: QueryEngine,
  { table, eventId, itemKey }: FoundEvent,
): Promise<AnsweredChange> {
  const history = await readHistory(engine, table, itemKey)
  const inOrder = history.steps.flatMap(step => step.changes.map(change => ({ change, step })))
  const index = inOrder.findIndex(({ change }) => change.event_id === eventId)
  const [rows, found] = [[...history.answer], inOrder[index]]
  const at = rows.findIndex(row => row.event_id === eventId)
  if (found === undefined || at < 0) throw new Error(`event ${eventId} is not in the history of its item ${itemKey}`)
  return {
    history,
    ...found,
    place: index + 1,
    earlier: inOrder[index - 1]?.change,
    later: inOrder[index + 1]?.change,
    row: rows[at] as Row,
    table: history.answer.table.slice(at, at + 1),
    objects: await objectsOfEvent(engine, table.table, eventId, found.change.event_time_us),
  }
}
