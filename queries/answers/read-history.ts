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
  const changes = changesOf(answer, itemKey)
  const span = { afterUs: Number.NEGATIVE_INFINITY, toUs: untilUs ?? Number.POSITIVE_INFINITY }
  const days = new Set(changes.map(change => dateOf(change.event_time_us)))
  const facts = await readSealedFacts(engine, table, span, days)
  return { ...foldHistory(itemKey, changes, facts), answer }
}

function changesOf(answer: Answer, itemKey: string): readonly HistoryChange[] {
  const hasTodaysActor = actorOfStatement(answer.asked.sql) !== undefined
  const changes = [...answer].map(row => ({
    ...heldAgainstHashes({ ...row, item_key: itemKey }, hasTodaysActor),
    repeats: Number(row.repeats),
  }))
  return changes as unknown as readonly HistoryChange[]
}

/** One change of an item by itself, made at `us`, without the history that it stands in; undefined where it is not. */
export async function readChange(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  { eventId, us }: { readonly eventId: string; readonly us: number },
): Promise<HistoryChange | undefined> {
  const period = { from: formatInstant(us, 6), to: formatInstant(us + 1, 6) }
  const answer = await answerQuery(engine, savedQuery('item-history'), table, { item_key: itemKey, ...period })
  return changesOf(answer, itemKey).find(({ event_id: id }) => id === eventId)
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
