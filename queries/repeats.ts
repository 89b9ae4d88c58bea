import type { TableConfiguration } from '../transform/table-configuration.js'
import { deliveriesIdentifier, tableIdentifier } from '../transform/table-names.js'
import type { QueryEngine } from './engines/engine.js'
import { deliveriesOf } from './engines/literal.js'
import { rowsOf } from './engines/rows.js'

/**
 * What the rows as delivered hold beyond one of each change, for every table of which a statement names them, in a
 * sentence each.
 */
export async function tellRepeats(
  engine: QueryEngine,
  sql: string,
  tables: Iterable<TableConfiguration>,
): Promise<readonly string[]> {
  const words = new Set(sql.toLowerCase().match(/[a-z0-9_]+/g))
  const told: string[] = []
  for (const table of tables) {
    const name = deliveriesIdentifier(table)
    if (!words.has(name)) continue
    const counted = `select count(*) - count(distinct event_id) as repeats from ${deliveriesOf(table)}`
    const [row] = [...rowsOf(await engine.run(counted))]
    const repeats = Number(row?.repeats)
    if (repeats === 0) continue
    told.push(`${name} holds ${repeats} repeated deliveries; ${tableIdentifier(table)} counts each change once`)
  }
  return told
}
