import type { QueryEngine } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { streamRows } from '../queries/engines/stream-rows.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** What changes in [fromUs, untilUs) say, baselines aside. */
export async function* changesBetween(
  engine: QueryEngine,
  table: TableConfiguration,
  columns: readonly string[],
  fromUs: number,
  untilUs: number,
): AsyncGenerator<readonly (string | null)[]> {
  const sql = `
    select ${columns.join(', ')}
    from ${deliveriesOf(table)}
    where event_date >= ?
      and event_date <= ?
      and event_time_us >= ?
      and event_time_us < ?
      and event_name <> 'BASELINE'`
  const values = [dateOf(fromUs), dateOf(untilUs), fromUs, untilUs]
  for await (const row of streamRows(engine, sql, values)) yield columns.map(column => row[column] as string | null)
}
