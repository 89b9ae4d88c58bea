import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { type Row, rowsOf } from '../engines/rows.js'
import { readSealedFacts } from './archive-facts.js'
import { foldHistory, heldAgainstHashes, type ItemHistory } from './fold-history.js'
import type { HistoryChange } from './item-change.js'
import { type ArchivedChange, removeRepeats } from './reconstruct.js'

/** Keys in one statement, which on Athena may have 256 KB. */
const KEYS = 100

/** What the fold reads, and what `row_hash` is taken over. */
const COLUMNS = [
  'item_key',
  'event_id',
  'event_name',
  'event_time_us',
  'time_precision',
  'sequence',
  'source',
  'view_type',
  'changed',
  'actor',
  'actor_source',
  'last_writer',
  'user_identity',
  'old_image',
  'new_image',
  'old_hash',
  'new_hash',
  'row_hash',
  'cast(arrived_at as varchar) as arrived_at',
  'config_id',
  'source_event_id',
  'table_name',
  'region',
  'subjects',
  'row_version',
]

/**
 * The whole histories of some items, as `readHistory` has them one by one; of an item never seen an empty one. Each
 * statement looks through the keys of the whole table, for `atOnce` items.
 */
export async function readHistories(
  engine: QueryEngine,
  table: TableConfiguration,
  keys: readonly string[],
  atOnce = KEYS,
): Promise<ReadonlyMap<string, ItemHistory>> {
  const rows = new Map<string, Row[]>(keys.map(key => [key, []]))
  for (let i = 0; i < keys.length; i += atOnce) {
    const some = keys.slice(i, i + atOnce)
    const sql = `
      select ${COLUMNS.join(', ')}
      from ${deliveriesOf(table)}
      where item_key in (${some.map(() => '?').join(', ')})`
    for (const row of rowsOf(await engine.run(sql, some))) rows.get(row.item_key as string)?.push(row)
  }
  const facts = await readSealedFacts(engine, table)
  return new Map([...rows].map(([key, all]) => [key, foldHistory(key, changesOf(all), facts)]))
}

function changesOf(rows: readonly Row[]): readonly HistoryChange[] {
  return removeRepeats(
    rows.map(row => heldAgainstHashes(row)) as unknown as readonly (ArchivedChange & HistoryChange)[],
  )
}
