import { findFacts } from '../../store/kept-facts.js'
import type { Fact, ReconciliationFact } from '../../transform/fact.js'
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
  /** When the last of its rows was delivered into the archive, the same; null where there is none. */
  readonly delivered: string | null
  /** Stretches that its facts say were lost: gaps, and times without a stream. */
  readonly gaps: number
  /** The last comparison with the table: when, and how many items differed; null where there was none. */
  readonly compared: { readonly time: string; readonly differing: number } | null
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
      count(distinct item_key) as items, min(event_time) as first, max(event_time) as last,
      max(arrived_at) as delivered
    from ${deliveriesOf(table)}`
  const [row] = [...rowsOf(await engine.run(sql))]
  const { facts } = engine.facts === undefined ? { facts: [] } : await findFacts(engine.facts, table.table)
  return {
    table: table.table,
    rows: Number(row?.n),
    changes: Number(row?.changes),
    baselineRows: Number(row?.baseline_rows),
    items: Number(row?.items),
    first: row?.first as string | null,
    last: row?.last as string | null,
    delivered: row?.delivered as string | null,
    gaps: facts.filter(({ kind }) => kind === 'gap' || kind === 'stream-changed').length,
    compared: lastComparison(facts),
    misfits: await countMisfits(engine, table),
    sealed: await sealedOf(engine, table),
  }
}

function lastComparison(facts: readonly Fact[]): TableStatus['compared'] {
  const last = facts.findLast((fact): fact is ReconciliationFact => fact.kind === 'reconciliation')
  return last === undefined ? null : { time: last.to, differing: last.differing.length }
}

async function countMisfits(engine: QueryEngine, table: TableConfiguration): Promise<TableStatus['misfits']> {
  const columns = new Map<string, number>()
  for (const { flat_column: column, changes } of rowsOf(await askQuery(engine, savedQuery('misfits'), table, {})))
    columns.set(column as string, (columns.get(column as string) ?? 0) + Number(changes))
  return [...columns].map(([column, changes]) => ({ column, changes }))
}
