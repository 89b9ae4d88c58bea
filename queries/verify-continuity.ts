import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import { type ArchiveFacts, readArchiveFacts } from './archive-facts.js'
import { findingsByItem, mergeByItem, type TableFinding, unbalancedItems } from './continuity.js'
import { type QueryEngine, streamAnswer } from './engine.js'
import type { Confidence } from './findings.js'
import { rowsOf } from './rows.js'
import { judge, type Period, periodOver, type Verdict } from './verdict.js'

/** The verdict about one item that something was found about. */
export interface ItemVerdict extends Verdict {
  readonly itemKey: string
  readonly findings: readonly TableFinding[]
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
  readonly changes: number
}

type Found<K> = { readonly kind: K } & TableFinding
type Piece = Span | Found<'finding'> | Found<'balance'>

/** Whether anything is missing in a table: the verdict about each of its items. `verdicts` yields those that tell of something. */
export class ContinuityCheck {
  readonly tally: Tally = {
    items: 0,
    changes: 0,
    unbalanced: 0,
    verdicts: { ALTERED: 0, COMPLETE: 0, UNBROKEN: 0, GAP: 0, 'PRE-ARCHIVE': 0, CONFLICT: 0, 'KEYS-ONLY': 0 },
    repeats: 0,
    unordered: 0,
  }

  private constructor(
    private readonly engine: QueryEngine,
    private readonly table: TableConfiguration,
    readonly facts: ArchiveFacts,
    private readonly period: Period | undefined,
  ) {}

  /**
   * `period` is the same for all items. @default - for each from its first to its last change. Throws `FactError` for a
   * fact that cannot be read.
   */
  static async open(engine: QueryEngine, table: TableConfiguration, period?: Period): Promise<ContinuityCheck> {
    return new ContinuityCheck(engine, table, await readArchiveFacts(engine, table), period)
  }

  /** Every item that something was found about, in the order of their keys; `tally` is right when all have been taken. */
  async *verdicts(): AsyncGenerator<ItemVerdict> {
    let item: Piece[] = []
    for await (const piece of mergeByItem<Piece>([this.spans(), this.findings(), this.unbalanced()])) {
      if (item[0] !== undefined && item[0].itemKey !== piece.itemKey) {
        yield* this.judgeItem(item)
        item = []
      }
      item.push(piece)
    }
    yield* this.judgeItem(item)
  }

  private *judgeItem(pieces: readonly Piece[]): Generator<ItemVerdict> {
    const [span] = pieces.filter(piece => piece.kind === 'span')
    if (span === undefined) return
    const { itemKey, firstUs, lastUs, changes } = span
    const balance = pieces.filter(piece => piece.kind === 'balance')
    const chain = pieces.filter(piece => piece.kind === 'finding')
    // by the chain it has a gap, too; should it not, that is no reason to pass over it
    const all = chain.some(({ finding }) => finding === 'GAP') ? chain : [...chain, ...balance]
    const verdict = judge(itemKey, all, this.facts, this.period ?? periodOver([firstUs, lastUs]))
    const findings = verdict.findings as readonly TableFinding[]
    this.count(verdict, findings, changes, balance.length)
    if (findings.length > 0) yield { ...verdict, itemKey, findings }
  }

  private count({ confidence }: Verdict, findings: readonly TableFinding[], changes: number, unbalanced: number): void {
    this.tally.items++
    this.tally.changes += changes
    this.tally.unbalanced += unbalanced
    this.tally.verdicts[confidence]++
    for (const { finding, changes: concerned } of findings) {
      if (finding === 'DUPLICATE') this.tally.repeats += concerned
    }
    if (findings.some(({ finding }) => finding === 'UNRESOLVED-ORDER')) this.tally.unordered++
  }

  private async *spans(): AsyncGenerator<Piece> {
    const sql = `
      select item_key, min(event_time_us) as first_us, max(event_time_us) as last_us, 
        count(distinct case when event_name <> 'BASELINE' then event_id end) as changes
      from ${tableIdentifier(this.table.table)}
      where event_time_us <= ?
      group by item_key
      order by item_key`
    const until = Math.min(this.period?.toUs ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    for await (const piece of streamAnswer(this.engine, sql, [until])) {
      for (const row of rowsOf(piece))
        yield {
          kind: 'span',
          itemKey: row.item_key as string,
          firstUs: Number(row.first_us),
          lastUs: Number(row.last_us),
          changes: Number(row.changes),
        }
    }
  }

  private async *findings(): AsyncGenerator<Piece> {
    for await (const { findings } of findingsByItem(this.engine, this.table, this.facts))
      for (const finding of findings) yield { kind: 'finding', ...finding }
  }

  private async *unbalanced(): AsyncGenerator<Piece> {
    for await (const finding of unbalancedItems(this.engine, this.table)) yield { kind: 'balance', ...finding }
  }
}
