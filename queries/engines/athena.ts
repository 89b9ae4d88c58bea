import { AthenaClient, type ColumnInfo, type GetQueryResultsOutput } from '@aws-sdk/client-athena'
import type { Table } from 'apache-arrow'
import type { Objects } from '../../store/objects.js'
import { dateOfKey } from '../../transform/layout.js'
import type { NamedTable } from '../../transform/table-names.js'
import type { Chunk } from './arrow-columns.js'
import type { Execution } from './athena-cost.js'
import { DEFAULT_CATALOG } from './athena-errors.js'
import { inExactForm, isPlain, withElementTypes } from './athena-exact.js'
import { bindStatement } from './athena-parameters.js'
import { AthenaService, type AthenaSettings, StillRunning } from './athena-service.js'
import { toArrow } from './athena-types.js'
import { readInstead } from './derivation.js'
import {
  type BoundValue,
  type Derived,
  type EngineDescription,
  type KnownJournal,
  type QueryEngine,
  QueryError,
  type RunOptions,
  type Scope,
  stoppedError,
  type TableOutline,
} from './engine.js'
import { checkForeignText } from './foreign-statement.js'
import { deliveriesOf, quoted } from './literal.js'
import { rowsOf } from './rows.js'
import { readStatement } from './statement.js'

export interface AthenaOptions extends AthenaSettings {
  /** @default - as the AWS SDK finds it: AWS_REGION, or the profile's */
  readonly region?: string | undefined
  /** The archive's bucket, where it is known: receipts name it. */
  readonly bucket?: string | undefined
  /** Ends every statement, in Athena too. @default - only the signal of a single statement does */
  readonly signal?: AbortSignal | undefined
  /** Called when a statement has ended, however it did. @default - `executions` can be looked at later */
  readonly onExecution?: (execution: Execution) => void
  /** @default - made for the region, with the usual credentials */
  readonly client?: AthenaClient
  /** The archive's bucket, for the facts that it keeps. @default - no facts are known, so nothing is anchored */
  readonly facts?: Objects | undefined
  /** What is known of the archive's journal. @default - nothing */
  readonly journal?: KnownJournal | undefined
  /** What the stack derives from its tables. @default - the archive alone is asked */
  readonly copies?: Derived | undefined
}

/** Some rows of an answer: values are text, null where there is none. */
interface Page {
  readonly columns: readonly ColumnInfo[]
  readonly chunk: Chunk<string>
}

/**
 * Answers questions over an archive on AWS. What a statement gives is what DuckDB gives for it, column by column.
 *
 * GetQueryResults has all values as text, and for arrays, maps and rows that text is ambiguous: `[a, b]` is one element
 * or two. What a column is, Athena says with the answer, when it is too late. So a query is first asked for no rows
 * (`limit 0`, which scans nothing), which tells its columns; where all of them are plain it then runs as it is, else
 * inside a SELECT that gives those columns as JSON. Reading the text as it comes would be wrong for every attribute
 * with a comma in its name; UNLOAD to Parquet keeps no order, and needs a bucket to write to.
 */
export class AthenaEngine implements QueryEngine {
  /** The statements that have ended so far, those that ask for columns among them. */
  readonly executions: Execution[] = []
  private readonly known = new Map<string, readonly ColumnInfo[]>()

  private constructor(
    private readonly service: AthenaService,
    private readonly options: AthenaOptions,
  ) {}

  /** Nothing is sent before the first statement. */
  static open(options: AthenaOptions): AthenaEngine {
    const { region, client = new AthenaClient({ ...(region !== undefined && { region }), ...TRANSPORT }) } = options
    return new AthenaEngine(new AthenaService(client, options), options)
  }

  async run(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): Promise<Table> {
    const pages: Page[] = []
    for await (const page of this.answer(sql, values, options)) pages.push(page)
    return toArrow(
      pages[0]?.columns ?? [],
      pages.map(({ chunk }) => chunk),
    )
  }

  async *stream(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): AsyncGenerator<Table> {
    for await (const { columns, chunk } of this.answer(sql, values, options)) {
      if (chunk.rowCount > 0) yield toArrow(columns, [chunk])
    }
  }

  /** How many bytes one statement may scan, as its workgroup is set; undefined where that is not said. */
  async scanLimit(): Promise<number | undefined> {
    return (await this.service.workgroup())?.BytesScannedCutoffPerQuery
  }

  async describe(): Promise<EngineDescription> {
    const { catalog = DEFAULT_CATALOG, database, workgroup, bucket } = this.options
    const ran = this.executions.at(-1)?.engineVersion
    const version = ran ?? (await this.service.workgroup())?.EngineVersion?.EffectiveEngineVersion ?? null
    return { name: 'athena', version, archive: { catalog, database, workgroup, ...(bucket && { bucket }) } }
  }

  get facts(): Objects | undefined {
    return this.options.facts
  }

  get journal(): KnownJournal | undefined {
    return this.options.journal
  }

  async itemsIn(table: NamedTable, keys: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const place = `s3://${this.options.bucket}/`
    const items = new Map<string, Map<string, number>>(keys.map(key => [key, new Map()]))
    const sql = `
      select "$path" as path, item_key, min(event_time_us) as first_us
      from ${deliveriesOf(table)}
      where event_date in (${[...new Set(keys.map(dateOfKey))].map(quoted).join(', ')})
        and "$path" in (${keys.map(key => quoted(place + key)).join(', ')})
      group by "$path", item_key`
    for (const { path, item_key: item, first_us: us } of rowsOf(await this.run(sql)))
      items.get(String(path).slice(place.length))?.set(String(item), Number(us))
    return items
  }

  async outline(table: string): Promise<TableOutline | undefined> {
    return this.options.copies?.outlineOf(table)
  }

  remarks(): readonly string[] {
    return [...(this.options.copies?.remarks ?? [])]
  }

  close(): void {
    this.service.close()
  }

  private async *answer(sql: string, values: readonly BoundValue[], options: RunOptions): AsyncGenerator<Page> {
    const signals = [this.options.signal, options.signal].filter(signal => signal !== undefined)
    const signal = AbortSignal.any(signals)
    if (options.foreign) checkForeignText(sql)
    try {
      yield* (await this.readCopy(sql, values, options.scope, signal)) ?? this.read(sql, values, signal)
    } catch (error) {
      if (!signal.aborted || error instanceof StillRunning) throw error
      throw stoppedError(signal)
    }
  }

  /** The answer from what was derived, once there is one; undefined where the archive has to be asked. */
  private async readCopy(
    sql: string,
    values: readonly BoundValue[],
    scope: Scope | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Page> | undefined> {
    const { copies } = this.options
    for (;;) {
      const derived = scope && (await copies?.rowsFor(scope, sql, values))
      if (scope === undefined || copies === undefined || derived === undefined) return undefined
      const instead = readInstead({ sql, values }, scope, derived, unite)
      const pages = this.read(instead.sql, instead.values, signal)
      let reason: string | undefined
      try {
        const first = await pages.next()
        reason = await derived.whyNotWhole()
        if (reason === undefined) return prepend(first, pages)
      } catch (error) {
        if (signal.aborted || error instanceof StillRunning) throw error
        reason = (error as Error).message
      }
      if (!(await copies.giveUp(scope.table, derived, reason))) return undefined
    }
  }

  private async *read(sql: string, values: readonly BoundValue[], signal: AbortSignal): AsyncGenerator<Page> {
    const statement = readStatement(sql)
    const columns = statement.isQuery ? await this.columnsOf(statement.text, values, signal) : []
    if (columns.every(isPlain)) {
      for await (const page of this.ask(statement.text, values, signal)) yield checkPlain(page)
      return
    }
    let typed: readonly ColumnInfo[] | undefined
    try {
      for await (const { chunk } of this.ask(inExactForm(statement, columns), values, signal)) {
        typed ??= withElementTypes(columns, chunk)
        yield { columns: typed, chunk }
      }
    } catch (error) {
      throw isMistake(error) ? new QueryError(error.message, { cause: error.cause, hint: ORDER_HINT }) : error
    }
  }

  /**
   * The columns of a query's answer; none where Athena finds fault with the text, which running it as it is tells best.
   */
  private async columnsOf(
    text: string,
    values: readonly BoundValue[],
    signal: AbortSignal,
  ): Promise<readonly ColumnInfo[]> {
    const known = this.known.get(text)
    if (known !== undefined) return known
    try {
      for await (const { columns } of this.ask(`select * from (\n${text}\n) limit 0`, values, signal)) {
        this.known.set(text, columns)
        return columns
      }
    } catch (error) {
      if (!isMistake(error)) throw error
    }
    return []
  }

  private async *ask(text: string, values: readonly BoundValue[], signal: AbortSignal): AsyncGenerator<Page> {
    const query = await this.service.execute(bindStatement(text, values), signal, execution => {
      this.executions.push(execution)
      this.options.onExecution?.(execution)
    })
    let hasHeader = query.StatementType === 'DML'
    for await (const page of this.service.pages(query.QueryExecutionId, signal)) {
      yield readPage(page, hasHeader)
      hasHeader = false
    }
  }
}

const unite = (rows: readonly string[]) => `(\n  ${rows.join('\n  union all\n  ')}\n)`

async function* prepend<T>(first: IteratorResult<T>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  if (first.done) return
  yield first.value
  yield* rest
}

/** The SDK waits for an answer for ever unless told otherwise. */
const TRANSPORT = { maxAttempts: 4, requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 } } as const

/** What can be wrong with a statement that Athena has already taken once, and that we put into another. */
const ORDER_HINT =
  'to read lists for sure, the order is said outside of the statement: order by columns that it selects, or by others, not by both in one expression'

/** True where the text of a statement is at fault: Athena says in which line. */
function isMistake(error: unknown): error is QueryError {
  return error instanceof QueryError && /\bline \d+:\d+/.test(error.message)
}

/** EXECUTE is no query that another could hold, so its lists come as Athena writes them. */
function checkPlain(page: Page): Page {
  const column = page.columns.find(column => !isPlain(column))
  if (column === undefined) return page
  const { Name, Type } = column
  throw new QueryError(
    `column ${JSON.stringify(Name)} is of type ${Type}, which Athena writes as text that reads two ways`,
    {
      hint: `run the query as a statement of its own, or let it give json_format(cast(${Name} as json))`,
    },
  )
}

/** A page by columns. The first row of a SELECT's first page is no row: it has the names. */
function readPage({ ResultSet }: GetQueryResultsOutput, hasHeader: boolean): Page {
  const columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
  const rows = (ResultSet?.Rows ?? []).map(({ Data = [] }) => columns.map((_, i) => Data[i]?.VarCharValue ?? null))
  const isHeader = hasHeader && columns.every(({ Name }, i) => rows[0]?.[i] === Name)
  const values = isHeader ? rows.slice(1) : rows
  return {
    columns,
    chunk: { rowCount: values.length, columns: columns.map((_, i) => values.map(row => row[i] ?? null)) },
  }
}
