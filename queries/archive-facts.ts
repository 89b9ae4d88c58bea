import {
  type BaselineFact,
  type Fact,
  factMicroseconds,
  type GapFact,
  type ReconciliationFact,
  type RestoreFact,
  readFacts,
  type StreamChangedFact,
} from '../transform/fact.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import type { QueryEngine } from './engine.js'
import { rowsOf } from './rows.js'

/** A moment at which an independent look at the table says what every item was, in microseconds since 1970. */
export interface Anchor {
  readonly kind: 'baseline' | 'reconciliation'
  readonly source: string
  /** Changes up to here are those that it could not have missed; later ones it may have seen or not. */
  readonly us: number
  /** Until when it may have seen changes. */
  readonly untilUs: number
  /** Keys of items that were another than the archive said; a baseline's own rows say that. */
  readonly differing: ReadonlySet<string>
}

/** A baseline whose rows are not those that its fact counted: nothing can be concluded from it. */
export interface BrokenBaseline {
  readonly source: string
  readonly us: number
  readonly items: number
  /** Items that the archive has rows of. */
  readonly found: number
}

/** A stretch of the stream that was gone before it could be read. */
export interface LostStretch {
  readonly fact: GapFact
  /** Null where nobody knows when it began. */
  readonly fromUs: number | null
  readonly toUs: number
}

/** What is known about a table's archive beside its rows, oldest first. */
export interface ArchiveFacts {
  readonly baselines: readonly Anchor[]
  readonly reconciliations: readonly Anchor[]
  readonly broken: readonly BrokenBaseline[]
  readonly lost: readonly LostStretch[]
  readonly streams: readonly { readonly fact: StreamChangedFact; readonly us: number }[]
  readonly restores: readonly RestoreFact[]
}

export const NO_FACTS: ArchiveFacts = {
  baselines: [],
  reconciliations: [],
  broken: [],
  lost: [],
  streams: [],
  restores: [],
}

/** Reads a table's facts, and counts the rows of its baselines. Throws `FactError` for a fact that cannot be read. */
export async function readArchiveFacts(engine: QueryEngine, table: TableConfiguration): Promise<ArchiveFacts> {
  if (engine.facts === undefined) return NO_FACTS
  const facts = await readFacts(engine.facts, table.table)
  const baselines = firstOfEachSource(facts.filter(fact => fact.kind === 'baseline'))
  const counts = await countItems(engine, table, baselines)
  const whole = (fact: BaselineFact) => (counts.get(fact.source) ?? 0) === fact.items
  return {
    baselines: baselines.filter(whole).map(toBaseline).sort(byTime),
    broken: baselines
      .filter(fact => !whole(fact))
      .map(({ source, rowTime, items }) => ({
        source,
        us: factMicroseconds(rowTime),
        items,
        found: counts.get(source) ?? 0,
      })),
    reconciliations: ofKind(facts, 'reconciliation').filter(comparedAll).map(toReconciliation).sort(byTime),
    lost: ofKind(facts, 'gap').map(fact => ({
      fact,
      fromUs: fact.from === null ? null : factMicroseconds(fact.from),
      toUs: factMicroseconds(fact.to),
    })),
    streams: ofKind(facts, 'stream-changed').map(fact => ({ fact, us: factMicroseconds(fact.recorded) })),
    restores: ofKind(facts, 'restore'),
  }
}

function ofKind<K extends Fact['kind']>(facts: readonly Fact[], kind: K): readonly Extract<Fact, { kind: K }>[] {
  return facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind)
}

/** A baseline that was sent again has two facts and one set of rows. */
function firstOfEachSource(facts: readonly BaselineFact[]): readonly BaselineFact[] {
  return [...new Map([...facts].reverse().map(fact => [fact.source, fact])).values()].reverse()
}

async function countItems(
  engine: QueryEngine,
  { table }: TableConfiguration,
  baselines: readonly BaselineFact[],
): Promise<ReadonlyMap<string, number>> {
  if (baselines.length === 0) return new Map()
  const days = [...new Set(baselines.map(({ rowTime }) => rowTime.slice(0, 10)))]
  const sql = `
    select source, count(distinct item_key) as items
    from ${tableIdentifier(table)}
    where event_date in (${days.map(() => '?').join(', ')})
      and event_name = 'BASELINE'
    group by source`
  const rows = rowsOf(await engine.run(sql, days))
  return new Map([...rows].map(row => [row.source as string, Number(row.items)]))
}

/** How far the clock that timed a scan may be behind the one that times changes. */
const CLOCKS_US = 60 * 1_000_000

function toBaseline({ source, rowTime, to }: BaselineFact): Anchor {
  return {
    kind: 'baseline',
    source,
    us: factMicroseconds(rowTime),
    untilUs: factMicroseconds(to) + CLOCKS_US,
    differing: new Set(),
  }
}

/** An incremental export lists the items of its window only: of all others it says nothing. */
function comparedAll({ method, from, to }: ReconciliationFact): boolean {
  return method === 'scan' || from === to
}

function toReconciliation({ source, from, to, differing }: ReconciliationFact): Anchor {
  const untilUs = factMicroseconds(to) + CLOCKS_US
  return { kind: 'reconciliation', source, us: factMicroseconds(from), untilUs, differing: new Set(differing) }
}

function byTime(a: Anchor, b: Anchor): number {
  return a.us - b.us
}
