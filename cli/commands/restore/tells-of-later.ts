import type { QueryEngine } from '../../../queries/engines/engine.js'
import { deliveriesOf } from '../../../queries/engines/literal.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { readArchiveFacts } from '../../../queries/verdict/archive-facts.js'
import { formatInstant } from '../../../transform/instant.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'

/**
 * Whether the archive has got beyond a moment: by a change, or by a look at the table that found it as the archive
 * has it.
 */
export async function tellsOfLater(engine: QueryEngine, table: TableConfiguration, us: number): Promise<boolean> {
  const sql = `
    select event_id
    from ${deliveriesOf(table)}
    where event_date >= ?
      and event_time_us > ?
      and event_name <> 'BASELINE'
    limit 1`
  const answer = await engine.run(sql, [formatInstant(us, 0).slice(0, 10), us])
  if ([...rowsOf(answer)].length > 0) return true
  const { baselines, comparisons, altered } = await readArchiveFacts(engine, table)
  const equal = comparisons.filter(
    comparison => comparison.differing.size + comparison.unsettled.size === 0 && !altered.includes(comparison),
  )
  return [...baselines, ...equal].some(anchor => anchor.us > us)
}
