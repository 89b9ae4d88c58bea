import type { TableConfiguration } from '../transform/table-configuration.js'
import type { QueryEngine } from './engines/engine.js'
import { deliveriesOf } from './engines/literal.js'
import { rowsOf } from './engines/rows.js'

/**
 * Any key of a table, which tells its key attributes and their types; undefined where the archive has no rows of it.
 */
export async function anyItemKey(engine: QueryEngine, table: TableConfiguration): Promise<string | undefined> {
  const known = await engine.outline?.(table.table)
  if (known !== undefined) return known.sampleKey
  const answer = await engine.run(`select item_key from ${deliveriesOf(table)} limit 1`)
  for (const row of rowsOf(answer)) return row.item_key as string
  return undefined
}

const LONGEST_TYPED = 500

/** Keys that differ from one in at most `distance` characters, at most 50, in no order of nearness. */
export async function similarItemKeys(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  distance = 3,
): Promise<readonly string[]> {
  // Trino refuses to compare what is long, and nobody typed it
  if (itemKey.length > LONGEST_TYPED) return []
  const sql = `
    select distinct item_key
    from ${deliveriesOf(table)}
    where levenshtein_distance(item_key, ?) <= ${distance}
    order by item_key
    limit 50`
  const answer = await engine.run(sql, [itemKey], { scope: { table: table.table } })
  return [...rowsOf(answer)].map(row => row.item_key as string)
}
