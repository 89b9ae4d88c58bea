import { findFacts } from '../../store/kept-facts.js'
import {
  type BaselineFact,
  comparedWhole,
  type Fact,
  factMicroseconds,
  type GapFact,
  type ReconciliationFact,
  type StreamChangedFact,
} from '../../transform/fact.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { rowsOf } from '../engines/rows.js'
import { type Uncertified, uncertifiedIn } from '../verdict/erasures.js'
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
  /** The last comparison with the table; null where there was none. */
  readonly compared: LastComparison | null
  /** Erasures that were begun and have no certificate. */
  readonly uncertified: readonly Uncertified[]
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
    uncertified: uncertifiedIn(facts),
    misfits: await countMisfits(engine, table),
    sealed: await sealedOf(engine, table),
  }
}

/** The last comparison with a table, and what those before it found that nothing has cleared up. */
interface LastComparison {
  readonly time: string
  readonly differing: number
  /** Items of which it could not be said. */
  readonly unsettled: number
  /** Other items that differed before, since when nobody has looked at the whole table. */
  readonly earlier: number
}

/**
 * The last comparison that facts tell of, oldest first; null where there was none. One of what changed in a window says
 * nothing of the items that differed before it.
 */
export function lastComparison(facts: readonly Fact[]): LastComparison | null {
  const at = facts.findLastIndex(({ kind }) => kind === 'reconciliation')
  const last = facts[at]
  if (last?.kind !== 'reconciliation') return null
  const whole = facts.findLastIndex((fact, i) => i <= at && ofWhole(fact))
  const since = facts.slice(Math.max(0, whole), at + 1)
  const compared = since.filter(fact => fact.kind === 'reconciliation')
  const all = compared.flatMap(fact => fact.differing.map(({ key }) => key))
  const unnamed = compared.reduce((sum, { further }) => sum + (further?.differing ?? 0), 0)
  const further = last.further ?? { differing: 0, unsettled: 0 }
  return {
    time: last.to,
    differing: last.differing.length + further.differing,
    unsettled: last.unsettled.length + further.unsettled,
    earlier: new Set(all).size - last.differing.length + unnamed - further.differing,
  }
}

/** A stretch that was lost, and since when it is known. */
export type OpenGap = GapFact | StreamChangedFact

/**
 * The stretches that facts say were lost and after which nobody looked at the whole table: neither a baseline was
 * taken, nor did a comparison find every item equal. What changed in them is lost all the same.
 */
export function openGaps(facts: readonly Fact[]): readonly OpenGap[] {
  const seenWhole = facts.flatMap(fact => (seesWhole(fact) ? [fact.from] : []))
  const isOpen = (end: string) => !seenWhole.some(from => factMicroseconds(from) >= factMicroseconds(end))
  return facts.filter(
    (fact): fact is OpenGap =>
      (fact.kind === 'gap' && isOpen(fact.to)) || (fact.kind === 'stream-changed' && isOpen(fact.recorded)),
  )
}

/** True of a look at every item after which the archive has what the table had. */
function seesWhole(fact: Fact): fact is BaselineFact | ReconciliationFact {
  if (!ofWhole(fact)) return false
  return fact.kind === 'baseline' || (fact.differing.length === 0 && fact.unsettled.length === 0)
}

/** True of a look at every item. */
function ofWhole(fact: Fact): fact is BaselineFact | ReconciliationFact {
  return fact.kind === 'baseline' || (fact.kind === 'reconciliation' && comparedWhole(fact))
}

async function countMisfits(engine: QueryEngine, table: TableConfiguration): Promise<TableStatus['misfits']> {
  const columns = new Map<string, number>()
  for (const { flat_column: column, changes } of rowsOf(await askQuery(engine, savedQuery('misfits'), table, {})))
    columns.set(column as string, (columns.get(column as string) ?? 0) + Number(changes))
  return [...columns].map(([column, changes]) => ({ column, changes }))
}
