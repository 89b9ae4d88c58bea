import { findFacts } from '../../store/kept-facts.js'
import {
  type BaselineFact,
  comparedAsOf,
  comparedWhole,
  type Fact,
  factMicroseconds,
  type GapFact,
  type ReconciliationFact,
  type RestoreFact,
  StatesDigest,
  type StreamChangedFact,
} from '../../transform/fact.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'
import { type Boundaries, erasableOf, erasuresOf, NO_BOUNDARIES } from './erasures.js'
import { type SealedTable, type Span, sealedOf } from './sealed.js'
import { digestOfStates, digestsOfBaselines } from './states-digest.js'

/** A moment at which an independent look at the table says what every item was, in microseconds since 1970. */
export interface Anchor {
  readonly kind: 'baseline' | 'reconciliation'
  readonly source: string
  /** Changes up to here are those that it could not have missed; later ones it may have seen or not. */
  readonly us: number
  /** Until when it may have seen changes. */
  readonly untilUs: number
}

/** A comparison of the archive with its table. */
export interface TableComparison extends Anchor {
  /** False of an incremental export, which lists the items of its window only: of all others it says nothing. */
  readonly isWhole: boolean
  /** Items that were another than the archive said, with when the archive's last change of each was made. */
  readonly differing: ReadonlyMap<string, number | null>
  /** Items of which it could not be said. */
  readonly unsettled: ReadonlySet<string>
  /** Of what was judged equal. */
  readonly digest: string
}

/** A baseline whose rows are not those that its fact tells of: nothing can be concluded from it. */
export interface BrokenBaseline {
  readonly source: string
  readonly us: number
  readonly items: number
  /** Items that the archive has rows of; as many as `items` where a row is another. */
  readonly found: number
}

/**
 * A time whose changes of a table are not all in the archive, in microseconds since 1970, and the fact that says so.
 */
export interface LostStretch<F = GapFact | StreamChangedFact> {
  readonly fact: F
  /** Null where nobody knows when it began. */
  readonly fromUs: number | null
  readonly toUs: number
}

/** What is known about a table's archive beside its rows, oldest first. */
export interface ArchiveFacts {
  readonly baselines: readonly Anchor[]
  readonly comparisons: readonly TableComparison[]
  /**
   * The newest whole comparison of which the archive still says what was judged equal. Older ones add nothing to it.
   * Null where there is none, or without a baseline before, since then no verdict asks for it.
   */
  readonly compared: TableComparison | null
  /** Newer ones, of which it says something else by now. */
  readonly altered: readonly TableComparison[]
  readonly broken: readonly BrokenBaseline[]
  /** Stretches of the stream that were gone before they could be read. */
  readonly lost: readonly LostStretch<GapFact>[]
  /** Streams that were made anew, each with the latest moment at which it was. */
  readonly streams: readonly { readonly fact: StreamChangedFact; readonly us: number }[]
  readonly restores: readonly RestoreFact[]
  /** Files whose word is not known: each may tell of a loss. */
  readonly unreadable: readonly string[]
  /**
   * The table's objects beside what the archive's journal says of them; null where nothing is sealed, or nobody asked
   * for it.
   */
  readonly sealed: SealedTable | null
  /** Why values of its rows cannot be compared, or read. */
  readonly boundaries: Boundaries
}

export const NO_FACTS: ArchiveFacts = {
  baselines: [],
  comparisons: [],
  compared: null,
  altered: [],
  broken: [],
  lost: [],
  streams: [],
  restores: [],
  unreadable: [],
  sealed: null,
  boundaries: NO_BOUNDARIES,
}

/** The same with the table's objects of a time held against the journal; `first` as in `sealedOf`. */
export async function readSealedFacts(
  engine: QueryEngine,
  table: TableConfiguration,
  span?: Span,
  first?: ReadonlySet<string>,
): Promise<ArchiveFacts> {
  const facts = await readArchiveFacts(engine, table)
  return { ...facts, sealed: await sealedOf(engine, table, span, first) }
}

/**
 * A table's facts, with the rows of its baselines and of its newest comparison held against them. An opened archive
 * reads them once, as it has the rows that it had when it was opened.
 */
export async function readArchiveFacts(engine: QueryEngine, table: TableConfiguration): Promise<ArchiveFacts> {
  const { facts } = engine
  if (facts === undefined) return NO_FACTS
  return once(engine, `facts of ${table.table}`, () => judgeFacts(engine, facts, table))
}

async function judgeFacts(
  engine: QueryEngine,
  store: NonNullable<QueryEngine['facts']>,
  table: TableConfiguration,
): Promise<ArchiveFacts> {
  const { facts, problems } = await findFacts(store, table.table)
  const { baselines, broken } = await checkBaselines(engine, table, ofKind(facts, 'baseline'))
  const comparisons = ofKind(facts, 'reconciliation').map(toComparison).sort(byTime)
  return {
    baselines,
    broken,
    comparisons,
    ...(await checkComparisons(engine, table, comparisons, baselines)),
    lost: ofKind(facts, 'gap').map(fact => ({
      fact,
      fromUs: fact.from === null ? null : factMicroseconds(fact.from),
      toUs: factMicroseconds(fact.to),
    })),
    streams: ofKind(facts, 'stream-changed').map(fact => ({ fact, us: factMicroseconds(fact.recorded) })),
    restores: ofKind(facts, 'restore'),
    unreadable: [...problems.map(({ message }) => message), ...unnamed(ofKind(facts, 'reconciliation'), baselines)],
    sealed: null,
    boundaries: { erasures: erasuresOf(facts), erasable: await erasableOf(store, table.table) },
  }
}

/** What comparisons found unequal and do not name, unless a later look at the whole table says what every item was. */
function unnamed(facts: readonly ReconciliationFact[], baselines: readonly Anchor[]): readonly string[] {
  const wholes = facts.filter(comparedWhole).map(({ from }) => factMicroseconds(from))
  const lastWhole = Math.max(...wholes, ...baselines.map(({ us }) => us))
  return facts
    .filter(({ from, further }) => further !== undefined && factMicroseconds(from) > lastWhole)
    .map(({ to, further: { differing = 0, unsettled = 0 } = {} }) => {
      const open = unsettled === 0 ? '' : ` and ${unsettled} of which it could not be said`
      return `the comparison of ${to} names not all that was unequal, there were ${differing} more items that differed${open}`
    })
}

/** All that a table's facts say is lost: stretches of its stream, and the times without a stream. */
export function lostStretches({ lost, streams }: Pick<ArchiveFacts, 'lost' | 'streams'>): readonly LostStretch[] {
  return [...lost, ...streams.map(({ fact, us }) => ({ fact, fromUs: null, toUs: us }))]
}

async function checkBaselines(
  engine: QueryEngine,
  table: TableConfiguration,
  facts: readonly BaselineFact[],
): Promise<Pick<ArchiveFacts, 'baselines' | 'broken'>> {
  const all = firstOfEachSource(facts)
  const days = [...new Set(all.map(({ rowTime }) => rowTime.slice(0, 10)))].sort()
  const found = all.length === 0 ? new Map() : await digestsOfBaselines(engine, table, days)
  const isIntact = ({ source, digest }: BaselineFact) => (found.get(source)?.digest ?? EMPTY_DIGEST) === digest
  return {
    baselines: all.filter(isIntact).map(toBaseline).sort(byTime),
    broken: all
      .filter(fact => !isIntact(fact))
      .map(({ source, rowTime, items }) => ({
        source,
        us: factMicroseconds(rowTime),
        items,
        found: found.get(source)?.items ?? 0,
      })),
  }
}

async function checkComparisons(
  engine: QueryEngine,
  table: TableConfiguration,
  comparisons: readonly TableComparison[],
  [first]: readonly Anchor[],
): Promise<Pick<ArchiveFacts, 'compared' | 'altered'>> {
  const altered: TableComparison[] = []
  for (const comparison of comparisons.filter(({ isWhole }) => isWhole).toReversed()) {
    if (first === undefined || first.us > comparison.us) break
    const { us, differing, unsettled, digest } = comparison
    const without = [...new Set([...differing.keys(), ...unsettled])]
    const found = await digestOfStates(engine, table, comparedAsOf(us), without)
    if (found === digest) return { compared: comparison, altered }
    altered.unshift(comparison)
  }
  return { compared: null, altered }
}

const EMPTY_DIGEST = new StatesDigest().hex()

function ofKind<K extends Fact['kind']>(facts: readonly Fact[], kind: K): readonly Extract<Fact, { kind: K }>[] {
  return facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind)
}

/** A baseline that was sent again has two facts and one set of rows. */
function firstOfEachSource(facts: readonly BaselineFact[]): readonly BaselineFact[] {
  return [...new Map([...facts].reverse().map(fact => [fact.source, fact])).values()].reverse()
}

/** How far the clock that timed a scan may be behind the one that times changes. */
const CLOCKS_US = 60 * 1_000_000

function toBaseline({ source, rowTime, to }: BaselineFact): Anchor {
  return {
    kind: 'baseline',
    source,
    us: factMicroseconds(rowTime),
    untilUs: factMicroseconds(to) + CLOCKS_US,
  }
}

function toComparison(fact: ReconciliationFact): TableComparison {
  const { source, from, to } = fact
  const sinceUs = (since: string | null) => (since === null ? null : factMicroseconds(since))
  return {
    kind: 'reconciliation',
    source,
    us: factMicroseconds(from),
    untilUs: factMicroseconds(to) + CLOCKS_US,
    isWhole: comparedWhole(fact),
    differing: new Map(fact.differing.map(({ key, since }) => [key, sinceUs(since)])),
    unsettled: new Set(fact.unsettled),
    digest: fact.digest,
  }
}

function byTime(a: Anchor, b: Anchor): number {
  return a.us - b.us
}
