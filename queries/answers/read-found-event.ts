import type { Table } from 'apache-arrow'
import type { QueryEngine } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import type { FoundEvent } from '../find-event.js'
import type { ItemHistory } from '../verdict/fold-history.js'
import type { HistoryChange } from '../verdict/item-change.js'
import { type EventObject, placesOfEvent } from '../verdict/sealed-event.js'
import type { Step } from '../verdict/step.js'
import { type AnsweredHistory, readHistory } from './read-history.js'

/** One change and its place in the history of its item. */
export interface PlacedChange<H extends ItemHistory = ItemHistory> {
  readonly history: H
  readonly change: HistoryChange
  readonly step: Step<HistoryChange>
  /** Its number in the order of the item's changes, from 1; rows of baselines count. */
  readonly place: number
  readonly earlier: HistoryChange | undefined
  readonly later: HistoryChange | undefined
}

/** A change that was read, and where it lies. */
export interface AnsweredChange extends PlacedChange<AnsweredHistory> {
  /** The whole row, as `item-history` answers it, and the same as a table. */
  readonly row: Row
  readonly table: Table
  /** The objects that hold it; null where nobody looks. */
  readonly objects: readonly EventObject[] | null
}

/** Reads a change that was found. Throws where the history of its item lacks it. */
export async function readFoundEvent(
  engine: QueryEngine,
  { table, eventId, itemKey }: FoundEvent,
): Promise<AnsweredChange> {
  const history = await readHistory(engine, table, itemKey)
  const placed = placeOfEvent(history, eventId)
  const rows = [...history.answer]
  const at = rows.findIndex(row => row.event_id === eventId)
  return {
    ...placed,
    row: rows[at] as Row,
    table: history.answer.table.slice(at, at + 1),
    objects: await placesOfEvent(engine, table, eventId, placed.change.event_time_us),
  }
}

/** The place of an event in the history of its item. Throws where that lacks it. */
export function placeOfEvent<H extends ItemHistory>(history: H, eventId: string): PlacedChange<H> {
  const inOrder = history.steps.flatMap(step => step.changes.map(change => ({ change, step })))
  const index = inOrder.findIndex(({ change }) => change.event_id === eventId)
  const found = inOrder[index]
  if (found === undefined) throw new Error(`event ${eventId} is not in the history of its item ${history.itemKey}`)
  const [earlier, later] = [inOrder[index - 1]?.change, inOrder[index + 1]?.change]
  return { history, ...found, place: index + 1, earlier, later }
}
