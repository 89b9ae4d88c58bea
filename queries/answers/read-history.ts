import { formatInstant } from '../../transform/instant.js'
import { dateOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { actorOfStatement } from '../todays-actor.js'
import { readSealedFacts } from '../verdict/archive-facts.js'
import { foldHistory, heldAgainstHashes, type ItemHistory } from '../verdict/fold-history.js'
import type { HistoryChange } from '../verdict/item-change.js'
import type { Answer } from './answer.js'
import { answerQuery } from './ask.js'

/** An item's history, and the answer that it was folded from. */
export interface AnsweredHistory extends ItemHistory {
  readonly answer: Answer
}

/**
 * Reads an item's whole history, or its history up to a moment (microseconds since 1970, included); of an item never
 * seen it has no change.
 */
export async function readHistory(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  untilUs?: number,
): Promise<AnsweredHistory> {
  const answer = await answerHistory(engine, table, itemKey, untilUs)
  const hasTodaysActor = actorOfStatement(answer.asked.sql) !== undefined
  const changes = [...answer].map(row => ({
    ...heldAgainstHashes({ ...row, item_key: itemKey }, hasTodaysActor),
    repeats: Number(row.repeats),
  }))
  const days = new Set(changes.map(change => dateOf(change.event_time_us)))
  const toUs = untilUs ?? Number.POSITIVE_INFINITY
  const facts = await readSealedFacts(engine, table, { afterUs: Number.NEGATIVE_INFINITY, toUs }, days)
  return { ...foldHistory(itemKey, changes as unknown as readonly HistoryChange[], facts), answer }
}

/** What `readHistory` folds, whatever is in it. */
export function answerHistory(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  untilUs?: number,
): Promise<Answer> {
  const query = savedQuery('item-history')
  const to = untilUs === undefined ? {} : { to: formatInstant(untilUs + 1, 6) }
  return answerQuery(engine, query, table, { item_key: itemKey, ...to })
}
