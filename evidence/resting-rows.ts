import type { Answer } from '../queries/answers/answer.js'
import { periodOf } from '../queries/answers/answer-verdict.js'
import type { Asked } from '../queries/answers/asked.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { rowsOf } from '../queries/engines/rows.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { tableIdentifier } from '../transform/table-names.js'
import { EvidenceError } from './evidence-error.js'

/** A bundle has at most so many rows: each has a file of its own. */
const MOST_ROWS = 100_000

/**
 * The events that an answer rests on: those that it names in a column `event_id`; of a saved query that names none,
 * such as a count, every change of the table in its period. Throws an `EvidenceError` for more than a bundle takes,
 * and for SQL of one's own that names none.
 */
export async function restingEvents(
  engine: QueryEngine,
  { table, asked }: Answer,
  tables: readonly TableConfiguration[],
): Promise<readonly string[]> {
  const named = table.getChild('event_id')
  if (named === null && asked.query === undefined)
    throw new EvidenceError('the answer names no events, so nobody can tell its rows', 'select event_id, too')
  const events = new Set<string>()
  if (named !== null) for (const id of named) if (typeof id === 'string') events.add(id)
  if (named === null) for (const of of tables) for (const id of await eventsOfPeriod(engine, asked, of)) events.add(id)
  if (events.size > MOST_ROWS)
    throw new EvidenceError(`the answer rests on more than ${MOST_ROWS} rows`, 'ask for a shorter period')
  return [...events]
}

async function eventsOfPeriod(engine: QueryEngine, asked: Asked, of: TableConfiguration): Promise<readonly string[]> {
  const { fromUs, toUs } = periodOf(asked)
  const bounds = [
    ...(fromUs === null ? [] : [`${PARTITION_COLUMN} >= '${dateOf(fromUs)}' and event_time_us >= ${fromUs}`]),
    ...(toUs === null ? [] : [`${PARTITION_COLUMN} <= '${dateOf(toUs)}' and event_time_us < ${toUs}`]),
  ]
  const where = bounds.length === 0 ? '' : ` where ${bounds.join(' and ')}`
  const sql = `select event_id from ${tableIdentifier(of)}${where} order by event_id limit ${MOST_ROWS + 1}`
  return [...rowsOf(await engine.run(sql))].map(({ event_id: id }) => String(id))
}
