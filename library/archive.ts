import type { Table } from 'apache-arrow'
import { type Unsealing, unsealText } from '../erasure/reveal.js'
import { revealHistory, revealRows } from '../erasure/revealed.js'
import { Answer } from '../queries/answers/answer.js'
import { judgeAnswer } from '../queries/answers/answer-verdict.js'
import { answerQuery, answerSql } from '../queries/answers/ask.js'
import type { AnswerVerdict, Asked } from '../queries/answers/asked.js'
import type { QuestionAsked } from '../queries/answers/asked-archive.js'
import { withBaselineRemarks } from '../queries/answers/baseline-remarks.js'
import { findValue, type ValueQuestion } from '../queries/answers/find-value.js'
import { readHistory } from '../queries/answers/read-history.js'
import { type TableStatus, tableStatus } from '../queries/answers/table-status.js'
import { withoutAttr } from '../queries/attr.js'
import { SAVED_QUERIES } from '../queries/catalog.js'
import { differencesOf } from '../queries/difference.js'
import { type BoundValue, type QueryEngine, type RunOptions, streamAnswer } from '../queries/engines/engine.js'
import { type Row, rowsOf } from '../queries/engines/rows.js'
import { canonicalKey, configuredKey, keyBeginning, storedKey, storedKeyValue } from '../queries/item-key.js'
import { anyItemKey } from '../queries/known-keys.js'
import { ParameterError } from '../queries/parameters.js'
import type { QueryName } from '../queries/query-types.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import { listItems } from '../queries/verdict/item-list.js'
import { archiveBegan, historyBetween, stateAt } from '../queries/verdict/state-at.js'
import { itemsAt } from '../queries/verdict/table-at.js'
import type { JudgeOptions } from '../queries/verdict/table-verdict.js'
import { ContinuityCheck, verifiedPeriod } from '../queries/verdict/verify-continuity.js'
import { RowCheck, type RowPeriod } from '../queries/verdict/verify-rows.js'
import { reconcileItems } from '../restore/reconcile-items.js'
import type { ReconcileFinding } from '../restore/reconciliation.js'
import { findTable } from '../store/tables.js'
import { type Item, parseItem } from '../transform/attribute-value.js'
import { formatInstant } from '../transform/instant.js'
import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { TABLE_NAME } from '../transform/table-names.js'
import {
  changeHead,
  changesOf,
  type History,
  type ItemAt,
  type ItemDiff,
  itemRevealed,
  type TableItem,
} from './archive-answers.js'
import { ArchiveError } from './archive-error.js'
import {
  type ChangeInHistory,
  type FoundValue,
  foundValue,
  type ItemKnown,
  readOneChange,
  toItemKnown,
} from './changes.js'
import {
  attributesOf,
  type Key,
  type Moment,
  microsecondsOf,
  type Parameters,
  parameterText,
  type RowOf,
} from './given.js'
import { KEPT_CLOSED, type OpenSealed } from './persons.js'

/** The time that is verified, from a moment to before another. @default - all time */
export interface VerifiedPeriod {
  readonly from?: Moment
  readonly to?: Moment
}

function periodOf({ from, to }: VerifiedPeriod): RowPeriod {
  return {
    ...(from !== undefined && { fromUs: microsecondsOf(from, 'from') }),
    ...(to !== undefined && { toUs: microsecondsOf(to, 'to') }),
  }
}

/** Which items are asked for. */
export interface ItemsAsked {
  /** The beginning of a key attribute's value, or `NAME=` and that of one of them. @default - all items */
  readonly prefix?: string
  /** As of when. @default - now */
  readonly at?: Moment
  /** How many at most, by their keys. @default - all */
  readonly limit?: number
}

/** What narrows a search for a value. */
export type ValueNarrowed = Omit<ValueQuestion, 'value'>

/** What follows the name of a saved query and of a table: parameters may be left out where each of them may. */
type Asking<N extends QueryName> =
  Record<string, never> extends Parameters<N>
    ? [parameters?: Parameters<N>, options?: RunOptions]
    : [parameters: Parameters<N>, options?: RunOptions]

/** How an archive was opened. */
interface HowOpened {
  /** Whether a table that is not known is asked all the same. */
  readonly others?: boolean | undefined
  readonly refused?: JudgeOptions['refused']
  /** Called when it is closed. */
  readonly end?: (() => void) | undefined
  /** What becomes of what is sealed. @default - nothing */
  readonly opening?: OpenSealed
}

/**
 * An archive that can be asked. What is asked wrongly throws `ParameterError` (a key, a moment, a parameter) or
 * `ArchiveError` (no such table or saved query); what the engine cannot do, `QueryError`.
 */
export class OpenArchive implements AsyncDisposable {
  private readonly sampleKeys = new Map<string, string>()

  /** Use `openArchive`. */
  constructor(
    readonly engine: QueryEngine,
    private readonly known: ReadonlyMap<string, TableConfiguration>,
    private readonly how: HowOpened = {},
  ) {}

  /** The names of the archive's tables. */
  tables(): readonly string[] {
    return [...this.known.keys()]
  }

  /** A table's configuration, its name in any case; undefined where there is none. */
  findTable(name: string): TableConfiguration | undefined {
    const table = findTable(this.known, name)
    // a slip makes no statement
    return table ?? (this.how.others === true && TABLE_NAME.test(name) ? unconfiguredTable(name) : undefined)
  }

  /** The same; throws an `ArchiveError` where there is none. */
  table(name: string): TableConfiguration {
    const table = this.findTable(name)
    if (table !== undefined) return table
    const all = this.tables().join(', ')
    throw new ArchiveError(`table ${JSON.stringify(name)} is not in the archive, which has ${all || 'none'}`)
  }

  /**
   * A key that tells what the keys of a table look like: one of its rows, asked for once, else one made up from its
   * configuration. Undefined where there is neither.
   */
  async sampleKey(name: string): Promise<string | undefined> {
    const table = this.table(name)
    const found = this.sampleKeys.get(table.table) ?? (await anyItemKey(this.engine, table))
    if (found !== undefined) this.sampleKeys.set(table.table, found)
    return found ?? configuredKey(table)
  }

  /** What happened to an item, oldest first. */
  async history(table: string, key: Key): Promise<History> {
    const configuration = this.table(table)
    const all = await this.read(configuration, key)
    const { itemKey, findings, confidence, remarks } = all
    const changes = changesOf(revealHistory(all, await this.opening(configuration)))
    return { table: configuration.table, key: parseItem(itemKey), changes, findings, confidence, remarks }
  }

  /**
   * One change, by its id or the first 8 signs of it or more, of a table or of any that the archive knows. Throws
   * `ParameterError` for what is no id or the beginning of several, `ArchiveError` for one that is not there.
   */
  change(eventId: string, table?: string): Promise<ChangeInHistory> {
    const names = table === undefined ? this.tables() : [table]
    const open = (of: TableConfiguration) => this.opening(of)
    return readOneChange(
      this.engine,
      names.map(name => this.table(name)),
      eventId,
      open,
    )
  }

  /** The items that the archive knows of a table, by key; a large table is never in memory as a whole. */
  async *items(table: string, { prefix = '', at = new Date(), limit }: ItemsAsked = {}): AsyncGenerator<ItemKnown> {
    const configuration = this.table(table)
    const atUs = microsecondsOf(at, 'at')
    const sample = await this.sampleKey(configuration.table)
    if (sample === undefined) return
    const question = { key: keyBeginning(prefix, sample, configuration), atUs, limit }
    for await (const item of listItems(this.engine, configuration, question)) yield toItemKnown(item)
  }

  /**
   * Where a value ever stood, item by item: a text, a number as the archive writes it, or an element of a set. What is
   * sealed is not looked into, whatever keys are here.
   */
  async *find(table: string, value: string, narrowed: ValueNarrowed = {}): AsyncGenerator<FoundValue> {
    const configuration = this.table(table)
    const stored = await this.storedValue(configuration, value, narrowed.attribute)
    const { spans } = await findValue(this.engine, configuration, { ...narrowed, value: stored })
    for await (const span of spans()) yield foundValue(span)
  }

  /**
   * A value as rows have it at an attribute: where that is a key attribute which names a person, its token. Throws
   * `ParameterError` where that takes keys which are not here.
   */
  async storedValue(table: TableConfiguration, value: string, attribute?: string): Promise<string> {
    if (attribute === undefined || table.keyIsPersonal?.includes(attribute) !== true) return value
    const anyKey = await this.sampleKey(table.table)
    return anyKey === undefined ? value : storedKeyValue(attribute, value, anyKey, table)
  }

  /** What an item was at a moment, changes at that moment included. */
  async asOf(table: string, key: Key, at: Moment): Promise<ItemAt> {
    const us = microsecondsOf(at, 'instant')
    const configuration = this.table(table)
    const all = await this.read(configuration, key)
    const found = stateAt(all, { us }, await archiveBegan(this.engine, configuration))
    return itemRevealed(configuration.table, all, us, found, await this.opening(configuration))
  }

  /** What a table held at a moment, item by item; a large table is never in memory as a whole. */
  async *tableAsOf(table: string, at: Moment): AsyncGenerator<TableItem> {
    const us = microsecondsOf(at, 'instant')
    const configuration = this.table(table)
    const unseal = await this.opening(configuration)
    for await (const { itemKey, image, last, ...rest } of itemsAt(this.engine, configuration, { us })) {
      const item = image === null ? null : parseItem(unsealText(image, unseal))
      yield { key: parseItem(itemKey), item, change: last && changeHead(last), ...rest }
    }
  }

  /** What differs in an item between two moments. @default to - now */
  async diff(table: string, key: Key, { from, to = new Date() }: { from: Moment; to?: Moment }): Promise<ItemDiff> {
    const [fromUs, toUs] = [microsecondsOf(from, 'from'), microsecondsOf(to, 'to')]
    if (fromUs > toUs)
      throw new ParameterError(`from is ${formatInstant(fromUs, 6)}, which is after to, ${formatInstant(toUs, 6)}`)
    const configuration = this.table(table)
    const all = await this.read(configuration, key)
    const began = await archiveBegan(this.engine, configuration)
    const [earlier, later] = [stateAt(all, { us: fromUs }, began), stateAt(all, { us: toUs }, began)]
    const unseal = await this.opening(configuration)
    const [before, after] = [
      itemRevealed(configuration.table, all, fromUs, earlier, unseal),
      itemRevealed(configuration.table, all, toUs, later, unseal),
    ]
    const known = before.state !== 'unknown' && after.state !== 'unknown'
    return {
      before,
      after,
      changes: all.changes.filter(
        ({ event_name: name, event_time_us: us }) => name !== 'BASELINE' && us > fromUs && us <= toUs,
      ).length,
      differences: known ? differencesOf(before.item, after.item) : undefined,
      confidence: historyBetween(all, [fromUs, earlier], [toUs, later]).confidence,
    }
  }

  /** What the archive holds of a table. */
  status(table: string): Promise<TableStatus> {
    return tableStatus(this.engine, this.table(table))
  }

  /**
   * Whether anything is missing in a table: `verdicts()` tells item by item, and `tally` is right when all are taken.
   */
  verifyContinuity(table: string, period: VerifiedPeriod = {}): Promise<ContinuityCheck> {
    return ContinuityCheck.open(this.engine, this.table(table), verifiedPeriod(periodOf(period)))
  }

  /**
   * Whether every row of a table is what it says of itself: `findings()` tells object by object, and `tally` is right
   * when all are taken. Throws an `ArchiveError` where the archive is no folder.
   */
  async verifyRows(table: string, period: VerifiedPeriod = {}): Promise<RowCheck> {
    const root = (await this.engine.describe?.())?.archive.root
    if (root !== undefined) return new RowCheck(root, this.table(table).table, periodOf(period))
    throw new ArchiveError('rows are held against themselves in a folder only, expected openArchive of a folder')
  }

  /**
   * Compares every item that a table held at a moment, as somebody else has them, and yields what is not shown to be
   * equal.
   */
  reconcile(table: string, items: AsyncIterable<Item> | Iterable<Item>, at: Moment): AsyncGenerator<ReconcileFinding> {
    return reconcileItems(this.engine, this.table(table), items, microsecondsOf(at, 'at'))
  }

  /** Asks a saved query of a table; `itemtrail queries` and docs/queries.md list them. */
  async run<N extends QueryName>(name: N, table: string, ...given: Asking<N>): Promise<Answer<RowOf<N>>> {
    const [parameters = {}, options = {}] = given
    const query = SAVED_QUERIES.get(name)
    if (query === undefined)
      throw new ArchiveError(
        `query ${JSON.stringify(name)} is unknown, expected one of ${[...SAVED_QUERIES.keys()].join(', ')}`,
      )
    const configuration = this.table(table)
    const texts: Record<string, string> = {}
    for (const [parameter, value] of Object.entries<unknown>(parameters)) {
      const type = query.parameters.find(known => known.name === parameter)?.type
      if (type === 'item') texts[parameter] = await this.itemKey(configuration, value as Key)
      else texts[parameter] = parameterText(parameter, type, value)
    }
    const answer = await answerQuery(this.engine, query, configuration, texts, options)
    const { table: rows, asked, remarks } = await withBaselineRemarks(this.engine, configuration, answer)
    return this.judged<RowOf<N>>(rows, asked, await this.opening(configuration), remarks)
  }

  /** Runs SQL of one's own; each table is a view, its name in lower case. `values` are bound to its `?` in order. */
  async sql<R extends Row = Row>(
    text: string,
    values: readonly BoundValue[] = [],
    options: RunOptions = {},
  ): Promise<Answer<R>> {
    const { table, asked } = await answerSql(this.engine, text, values, options)
    return this.judged<R>(table, asked, await this.opening())
  }

  /**
   * How far an answer to what was asked can be believed; undefined where that names no table. It costs statements of
   * its own.
   */
  verdict(asked: QuestionAsked, options?: JudgeOptions): Promise<AnswerVerdict | undefined> {
    return judgeAnswer(asked, this, { refused: this.how.refused, ...options })
  }

  private judged<R extends Row>(
    table: Table,
    asked: Asked,
    unseal: Unsealing,
    remarks: readonly string[] = [],
  ): Answer<R> {
    const shown = (rows: Iterable<Row>) => revealRows(rows, unseal)
    return new Answer<R>(table, asked, remarks, options => this.verdict(asked, options), shown)
  }

  /** What becomes of what is sealed in a table; without one in any of them. */
  private opening(table?: TableConfiguration): Promise<Unsealing> {
    const { opening = KEPT_CLOSED } = this.how
    return opening(this.engine, table === undefined ? [...this.known.values()] : [table])
  }

  /**
   * The rows of SQL of one's own as they come; a large answer is never in memory as a whole where the engine can
   * stream.
   */
  async *stream<R extends Row = Row>(
    text: string,
    values: readonly BoundValue[] = [],
    options: RunOptions = {},
  ): AsyncGenerator<R> {
    const unseal = await this.opening()
    for await (const piece of streamAnswer(this.engine, withoutAttr(text), values, { ...options, foreign: true }))
      yield* revealRows(rowsOf(piece), unseal) as Iterable<Row> as Iterable<R>
  }

  /** Ends it; of what is still running nothing is answered. */
  async close(): Promise<void> {
    this.engine.close()
    this.how.end?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async read(table: TableConfiguration, key: Key): Promise<ItemHistory> {
    return readHistory(this.engine, table, await this.itemKey(table, key))
  }

  private async itemKey(table: TableConfiguration, key: Key): Promise<string> {
    const anyKey = await this.sampleKey(table.table)
    if (anyKey === undefined)
      throw new ArchiveError(`table ${table.table} has no rows and no configuration to tell its keys by`)
    return storedKey(canonicalKey(attributesOf(key, anyKey), anyKey), table)
  }
}
