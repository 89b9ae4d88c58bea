import { nearest } from '../config/nearest.js'
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
/** Characters in which keys differ that are alike. */
const MOST_MISTYPED = 3

/** The keys that come nearest to one that may be mistyped, best first, at most three, of 50 that are like it. */
export async function similarItemKeys(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
): Promise<readonly string[]> {
  // Trino refuses to compare what is long, and nobody typed it
  if (itemKey.length > LONGEST_TYPED) return []
  const sql = `
    select distinct item_key
    from ${deliveriesOf(table)}
    where levenshtein_distance(item_key, ?) <= ${MOST_MISTYPED}
    order by item_key
    limit 50`
  const answer = await engine.run(sql, [itemKey], { scope: { table: table.table } })
  const similar = [...rowsOf(answer)].map(row => row.item_key as string)
  return nearest(itemKey, similar)
}
