import type { TableConfiguration } from '../../transform/table-configuration.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { rowsOf } from '../engines/rows.js'
import { type SealedTable, sealedOf } from '../verdict/sealed.js'
import { askQuery } from './ask.js'

/** What an archive holds of a table. */
export interface TableStatus {
  readonly table: string
  /** Deliveries, of which a change may have several. */
  readonly rows: number
  readonly changes: number
  /** Items that baselines saw, each as often as one did; they are no changes. */
  readonly baselineRows: number
  readonly items: number
  /** When the first and the last change was made, ISO 8601 in UTC; null where there is none. */
  readonly first: string | null
  readonly last: string | null
  /** Columns with values that did not fit them, and in how many changes. */
  readonly misfits: readonly { readonly column: string; readonly changes: number }[]
  /** Its objects beside what the archive's journal says of them; null where nothing is sealed. */
  readonly sealed: SealedTable | null
}

/** Counts what an archive holds of a table. Throws `UnreadableTable` where nothing of it can be read. */
export async function tableStatus(engine: QueryEngine, table: TableConfiguration): Promise<TableStatus> {
  const sql = `
    select count(*) as n,
      count(distinct case when event_name <> 'BASELINE' then event_id end) as changes,
      count(distinct case when event_name = 'BASELINE' then event_id end) as baseline_rows,
      count(distinct item_key) as items, min(event_time) as first, max(event_time) as last
    from ${deliveriesOf(table)}`
  const [row] = [...rowsOf(await engine.run(sql))]
  return {
    table: table.table,
    rows: Number(row?.n),
    changes: Number(row?.changes),
    baselineRows: Number(row?.baseline_rows),
    items: Number(row?.items),
    first: row?.first as string | null,
    last: row?.last as string | null,
    misfits: await countMisfits(engine, table),
    sealed: await sealedOf(engine, table),
  }
}

async function countMisfits(engine: QueryEngine, table: TableConfiguration): Promise<TableStatus['misfits']> {
  const columns = new Map<string, number>()
  for (const { flat_column: column, changes } of rowsOf(await askQuery(engine, savedQuery('misfits'), table, {})))
    columns.set(column as string, (columns.get(column as string) ?? 0) + Number(changes))
  return [...columns].map(([column, changes]) => ({ column, changes }))
}
