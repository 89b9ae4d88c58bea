import { compareUtf8 } from '../../transform/json.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type EachItemStatement, ROW_SPAN, rowSpansOfAll, rowsOfEachItem } from '../each-item.js'
import type { QueryEngine } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { type ArchiveFacts, readSealedFacts } from './archive-facts.js'
import { findingsByItem, groupByItem, type OfItem, type TableFinding, unbalancedItems } from './continuity.js'
import { CONFIDENCES, type Confidence, type ItemFinding, isDoubtful } from './findings.js'
import { type BriefVerdict, concerns, judge, judgeBriefly, type Period, periodOver, type Verdict } from './verdict.js'

/** The verdict about one item that something was found about. */
export interface ItemVerdict extends Verdict {
  readonly itemKey: string
  readonly findings: readonly ItemFinding[]
}

/** What was checked, and what came of it. */
export interface Tally {
  items: number
  changes: number
  /** Items whose states do not balance, whatever the order of their changes. */
  unbalanced: number
  readonly verdicts: Record<Confidence, number>
  /** Repeated deliveries that were left out, and items that have changes whose order is not certain. */
  repeats: number
  unordered: number
}

/** An item's first and last change. */
interface Span {
  readonly kind: 'span'
  readonly itemKey: string
  readonly firstUs: number
  readonly lastUs: number
  /** Of these in the period: changes, and rows, among them repeated deliveries and what baselines saw. */
  readonly changes: number
  readonly rows: number
}

/** Of an item that the archive has no row of. */
const EVER: Period = {
  afterUs: Number.NEGATIVE_INFINITY,
  fromUs: Number.NEGATIVE_INFINITY,
  toUs: Number.POSITIVE_INFINITY,
  untilUs: Number.POSITIVE_INFINITY,
}

/**
 * The period that is verified from one moment to before another, in microseconds since 1970; undefined for all time.
 */
export function verifiedPeriod({
  fromUs,
  toUs,
}: {
  readonly fromUs?: number
  readonly toUs?: number
}): Period | undefined {
  if (fromUs === undefined && toUs === undefined) return undefined
  const until = (toUs ?? Date.now() * 1000) - 1
  const from = fromUs ?? Number.NEGATIVE_INFINITY
  return { afterUs: from - 1, fromUs: from, toUs: until, untilUs: until }
}

type Found<K> = { readonly kind: K } & TableFinding
/** An item that differed, which the archive may have nothing of. */
type Compared = { readonly kind: 'compared'; readonly itemKey: string }
type Piece = Span | Compared | Found<'finding'> | Found<'balance'>

/**
 * Whether anything is missing in a table: the verdict about each of its items. `verdicts` yields those that tell of
 * something.
 */
export class ContinuityCheck {
  readonly tally: Tally = {
    items: 0,
    changes: 0,
    unbalanced: 0,
    verdicts: Object.fromEntries(CONFIDENCES.map(confidence => [confidence, 0])) as Record<Confidence, number>,
    repeats: 0,
    unordered: 0,
  }

  /** The regions of the table's rows: one, unless two streams of a global table were taken. */
  readonly regions = new Set<string>()

  private constructor(
    private readonly engine: QueryEngine,
    private readonly table: TableConfiguration,
    readonly facts: ArchiveFacts,
    private readonly period: Period | undefined,
  ) {}

  /** `period` is the same for all items. @default - for each from its first to its last change. */
  static async open(engine: QueryEngine, table: TableConfiguration, period?: Period): Promise<ContinuityCheck> {
    const span = period && { afterUs: period.afterUs, toUs: period.untilUs }
    return new ContinuityCheck(engine, table, await readSealedFacts(engine, table, span), period)
  }

  /**
   * Every item that something was found about, in the order of their keys; `tally` is right when all have been taken.
   */
  async *verdicts(): AsyncGenerator<ItemVerdict> {
    const streams = [this.spans(), this.differing(), this.findings(), this.unbalanced()]
    for await (const pieces of groupByItem<Piece>(streams)) yield* this.judgeItem(pieces)
  }

  private *judgeItem(pieces: OfItem<Piece>): Generator<ItemVerdict> {
    const [{ itemKey }] = pieces
    const [span] = pieces.filter(piece => piece.kind === 'span')
    const chain = pieces.filter(piece => piece.kind === 'finding')
    const reasons = chain.filter(({ finding }) => finding === 'ERASED' || finding === 'CONFIG-BOUNDARY').length
    // each break that has a reason is one that the states do not balance by
    const balance = pieces.filter(piece => piece.kind === 'balance').filter(({ changes }) => changes > reasons)
    // by the chain it has a gap, too; should it not, that is no reason to pass over it
    const all = chain.some(({ finding }) => finding === 'GAP') ? chain : [...chain, ...balance]
    const period = this.period ?? (span === undefined ? EVER : periodOver([span.firstUs, span.lastUs]))
    const sealedAfterUs = this.period?.afterUs ?? Number.NEGATIVE_INFINITY
    const verdict = judgeBriefly(itemKey, all, this.facts, period, sealedAfterUs)
    // what has neither rows nor findings in the period is not what was asked for
    if ((span?.rows ?? 0) === 0 && !isDoubtful(verdict.confidence)) return
    const unbalanced = balance.filter(finding => concerns(finding, period.afterUs, period.toUs))
    this.count(verdict, span?.changes ?? 0, unbalanced.length)
    if (verdict.findings.length > 0) yield { ...judge(itemKey, all, this.facts, period, sealedAfterUs), itemKey }
  }

  private count({ confidence, findings }: BriefVerdict, changes: number, unbalanced: number): void {
    this.tally.items++
    this.tally.changes += changes
    this.tally.unbalanced += unbalanced
    this.tally.verdicts[confidence]++
    for (const { finding, changes: concerned } of findings) {
      if (finding === 'DUPLICATE') this.tally.repeats += concerned
    }
    if (findings.some(({ finding }) => finding === 'UNRESOLVED-ORDER')) this.tally.unordered++
  }

  private async *differing(): AsyncGenerator<Piece> {
    const keys = new Set(this.facts.comparisons.flatMap(({ differing }) => [...differing.keys()]))
    for (const itemKey of [...keys].sort(compareUtf8)) yield { kind: 'compared', itemKey }
  }

  private async *spans(): AsyncGenerator<Piece> {
    for await (const row of rowsOfEachItem(this.engine, this.table, this.spansStatement())) {
      for (const region of [row.first_region, row.last_region]) if (region !== null) this.regions.add(String(region))
      yield {
        kind: 'span',
        itemKey: row.item_key as string,
        firstUs: Number(row.first_us),
        lastUs: Number(row.last_us),
        changes: Number(row.changes),
        rows: Number(row.row_count),
      }
    }
  }

  private spansStatement(): EachItemStatement {
    if (this.period === undefined) return rowSpansOfAll(this.table)
    const since = Math.max(this.period.fromUs, 0)
    const until = Math.min(this.period.toUs, Number.MAX_SAFE_INTEGER)
    // Athena takes a parameter in WHERE only, so what is not of the period is read by a part of its own
    const part = (isOfPeriod: boolean, condition: string) => `
        select item_key, event_id, event_name, event_time_us, region, ${isOfPeriod} as of_period
        from ${deliveriesOf(this.table)}
        where ${condition}`
    const parts =
      since === 0
        ? [part(true, 'event_time_us <= ?')]
        : [part(true, 'event_time_us between ? and ?'), part(false, 'event_time_us < ?')]
    const sql = `
      select item_key, min(event_time_us) as first_us, max(event_time_us) as last_us,
        count(distinct case when of_period and event_name <> 'BASELINE' then event_id end) as changes,
        count_if(of_period) as row_count, min(region) as first_region, max(region) as last_region
      from (${parts.join('\n        union all')}
      ) as parts
      group by item_key
      order by item_key`
    const values = since === 0 ? [until] : [since, until, Math.min(since, until + 1)]
    return { columns: ROW_SPAN, sql, values }
  }

  private async *findings(): AsyncGenerator<Piece> {
    for await (const { findings } of findingsByItem(this.engine, this.table, this.facts))
      for (const finding of findings) yield { kind: 'finding', ...finding }
  }

  private async *unbalanced(): AsyncGenerator<Piece> {
    for await (const finding of unbalancedItems(this.engine, this.table)) yield { kind: 'balance', ...finding }
  }
}
