import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import {
  AthenaClient,
  type ColumnInfo,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  GetWorkGroupCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import type { Table } from 'apache-arrow'
import type { Chunk } from './arrow-columns.js'
import { type Execution, executionOf, formatBytes } from './athena-cost.js'
import { athenaError, DEFAULT_CATALOG, isThrottled } from './athena-errors.js'
import { type BoundStatement, bindStatement } from './athena-parameters.js'
import { type AthenaAnswer, exactForm, toArrow } from './athena-types.js'
import { type BoundValue, type QueryEngine, QueryError, type RunOptions, stoppedError } from './engine.js'
import { readStatement } from './statement.js'

export interface AthenaOptions {
  readonly workgroup: string
  readonly database: string
  /** @default - Glue's own, `AwsDataCatalog` */
  readonly catalog?: string
  /** Where results go, `s3://bucket/prefix/`. @default - as the workgroup says: its own location, or managed results */
  readonly outputLocation?: string
  /** @default - as the AWS SDK finds it: AWS_REGION, or the profile's */
  readonly region?: string
  /** Ends every statement, running ones in Athena too. @default - only the signal of a single statement does */
  readonly signal?: AbortSignal
  /** Called when a statement has ended, however it did. @default - `executions` can be looked at later */
  readonly onExecution?: (execution: Execution) => void
  /** @default - made for the region, with the usual credentials */
  readonly client?: AthenaClient
  /** @default - a timer */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** A number from 0 to 1 that spreads waiting times. @default - Math.random */
  readonly random?: () => number
}

/** Rows a page holds at most (API reference, GetQueryResults). */
const PAGE = 1000
/** How often a throttled request is sent again, with waits of up to `LONGEST_WAIT`: some four minutes in all. */
const ATTEMPTS = 12
const LONGEST_WAIT = 30_000
const POLL = { first: 100, longest: 2000 } as const
const CUT_OFF = /bytes scanned limit/i

/**
 * Answers questions over an archive on AWS. What a statement gives is what DuckDB gives for it, column by column.
 *
 * GetQueryResults has all values as text, and for arrays, maps and rows that text is ambiguous: `[a, b]` is one element
 * or two. What a column is, Athena says with the answer, when it is too late. So a statement that can be asked within
 * another one is first asked for no rows (`limit 0`, which scans nothing), which tells its columns; where all of them
 * are plain it then runs as it is, else inside a SELECT that gives those columns as JSON. Such a SELECT drops the order
 * of what is inside it, so the ORDER BY is said once more outside. Alternatives: reading the text as it comes is wrong
 * for every attribute with a comma in its name; UNLOAD to Parquet keeps no order and needs a bucket to write to.
 */
export class AthenaEngine implements QueryEngine {
  /** The statements that have ended so far, those that ask for columns among them. */
  readonly executions: Execution[] = []
  private readonly columnsOf = new Map<string, readonly ColumnInfo[]>()

  private constructor(
    private readonly client: AthenaClient,
    private readonly options: AthenaOptions,
  ) {}

  /** Nothing is sent before the first statement. */
  static open(options: AthenaOptions): AthenaEngine {
    const { region, client = new AthenaClient({ ...(region !== undefined && { region }), ...TRANSPORT }) } = options
    return new AthenaEngine(client, options)
  }

  async run(sql: string, values: readonly BoundValue[] = [], options: RunOptions = {}): Promise<Table> {
    const signals = [this.options.signal, options.signal].filter(signal => signal !== undefined)
    const signal = AbortSignal.any(signals)
    try {
      return await this.answer(sql, values, signal)
    } catch (error) {
      if (!signal.aborted || error instanceof StillRunning) throw error
      throw stoppedError(signal)
    }
  }

  close(): void {
    this.client.destroy()
  }

  private async answer(sql: string, values: readonly BoundValue[], signal: AbortSignal): Promise<Table> {
    const statement = readStatement(sql)
    const bound = bindStatement(statement, values)
    const columns = statement.isQuery ? await this.describe(bound, signal) : []
    if (columns.every(column => exactForm(column, '') === undefined)) return toArrow(await this.ask(bound, signal))
    const exact = { ...bound, sql: inExactForm(bound.sql, columns, statement.orderBy) }
    return toArrow({ ...(await this.ask(exact, signal)), columns })
  }

  /** The columns of a query's answer; none where Athena finds fault with the text, which running it as it is tells best. */
  private async describe(bound: BoundStatement, signal: AbortSignal): Promise<readonly ColumnInfo[]> {
    const known = this.columnsOf.get(bound.sql)
    if (known !== undefined) return known
    try {
      const { columns } = await this.ask({ ...bound, sql: `select * from (\n${bound.sql}\n) limit 0` }, signal)
      this.columnsOf.set(bound.sql, columns)
      return columns
    } catch (error) {
      if (error instanceof QueryError && /\bline \d+:\d+/.test(error.message)) return []
      throw error
    }
  }

  private async ask(bound: BoundStatement, signal: AbortSignal): Promise<AthenaAnswer> {
    const query = await this.execute(bound, signal)
    const id = query.QueryExecutionId as string
    const pages = [await this.page(id, undefined, signal)]
    for (let token = pages[0]?.NextToken; token !== undefined; token = pages.at(-1)?.NextToken) {
      pages.push(await this.page(id, token, signal))
    }
    const columns = pages[0]?.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
    return { columns, chunks: pages.map((page, i) => chunkOf(page, columns, i === 0 && query.StatementType === 'DML')) }
  }

  private page(id: string, token: string | undefined, signal: AbortSignal): Promise<GetQueryResultsOutput> {
    const command = new GetQueryResultsCommand({ QueryExecutionId: id, NextToken: token, MaxResults: PAGE })
    return this.request(() => this.client.send(command, { abortSignal: signal }), signal)
  }

  /** Runs a statement to its good end. A query that nobody waits for any more is stopped. */
  private async execute(bound: BoundStatement, signal: AbortSignal): Promise<QueryExecution> {
    const id = await this.start(bound, signal)
    const query = await this.await(id, signal).catch(async error => {
      await this.stop(id)
      throw error
    })
    const execution = executionOf(query)
    this.executions.push(execution)
    this.options.onExecution?.(execution)
    if (execution.state === 'SUCCEEDED') return query
    throw await this.failure(query, execution)
  }

  /** Not to be aborted half-way: a query that has started must be known, to be stopped. */
  private async start({ sql, parameters }: BoundStatement, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const { workgroup, database, catalog = DEFAULT_CATALOG, outputLocation } = this.options
    const command = new StartQueryExecutionCommand({
      QueryString: sql,
      ...(parameters.length > 0 && { ExecutionParameters: [...parameters] }),
      // the same for every attempt, so that none of them starts a second query
      ClientRequestToken: randomUUID(),
      WorkGroup: workgroup,
      QueryExecutionContext: { Database: database, Catalog: catalog },
      ...(outputLocation !== undefined && { ResultConfiguration: { OutputLocation: outputLocation } }),
    })
    const { QueryExecutionId } = await this.request(() => this.client.send(command), signal)
    return QueryExecutionId as string
  }

  private async await(id: string, signal: AbortSignal): Promise<QueryExecution> {
    for (let attempt = 0; ; attempt++) {
      const command = new GetQueryExecutionCommand({ QueryExecutionId: id })
      const { QueryExecution: query } = await this.request(
        () => this.client.send(command, { abortSignal: signal }),
        signal,
      )
      if (query !== undefined && !['QUEUED', 'RUNNING'].includes(query.Status?.State ?? '')) return query
      await this.pause(Math.min(POLL.first * 1.5 ** attempt, POLL.longest), signal)
    }
  }

  private async stop(id: string): Promise<void> {
    try {
      const { signal } = new AbortController()
      await this.request(() => this.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id })), signal)
    } catch (error) {
      throw new StillRunning(`athena query ${id} may still run, it could not be stopped: ${(error as Error).message}`, {
        cause: error,
        hint: `aws athena stop-query-execution --query-execution-id ${id}`,
      })
    }
  }

  private async failure(query: QueryExecution, { id, state, bytesScanned }: Execution): Promise<QueryError> {
    const { StateChangeReason, AthenaError } = query.Status ?? {}
    const words = StateChangeReason ?? AthenaError?.ErrorMessage ?? 'Athena gave no reason'
    const subject = `athena query ${id} ${state === 'FAILED' ? 'failed' : 'was cancelled'}`
    if (!CUT_OFF.test(words)) return athenaError(subject, words, this.options, AthenaError)
    const limit = await this.scanLimit()
    return new QueryError(
      `${subject}: ${words} (${formatBytes(bytesScanned)} scanned${limit === undefined ? '' : ` of ${formatBytes(limit)} allowed`})`,
      {
        cause: AthenaError,
        hint: `ask about a shorter period, or raise the limit of workgroup ${this.options.workgroup} (scanCutoffGb in the configuration); what was scanned is billed`,
      },
    )
  }

  /** What the workgroup lets a query scan; undefined where it sets no limit, or does not tell us. */
  private async scanLimit(): Promise<number | undefined> {
    const command = new GetWorkGroupCommand({ WorkGroup: this.options.workgroup })
    const answer = await this.client.send(command).catch(() => undefined)
    return answer?.WorkGroup?.Configuration?.BytesScannedCutoffPerQuery
  }

  /** Sends a request, again where it was one too many. */
  private async request<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send()
      } catch (error) {
        if (!isThrottled(error) || attempt === ATTEMPTS) {
          throw athenaError('athena refused the request', (error as Error).message, this.options, error)
        }
      }
      await this.pause(Math.min(500 * 2 ** attempt, LONGEST_WAIT), signal)
    }
  }

  /** Waits between half and the whole of a time, so that many who wait do not come back together. */
  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { sleep = wait, random = Math.random } = this.options
    await sleep(ms * (1 + random()) * 0.5, signal)
  }
}

/** A query that was given up and goes on all the same. */
class StillRunning extends QueryError {}

/** The SDK waits for an answer for ever unless told otherwise. */
const TRANSPORT = { maxAttempts: 4, requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 } } as const

function wait(ms: number, signal: AbortSignal): Promise<unknown> {
  return setTimeout(ms, undefined, { signal })
}

/** The query inside a SELECT of its columns in their exact form, in the same order. */
function inExactForm(sql: string, columns: readonly ColumnInfo[], orderBy: readonly string[]): string {
  const names = aliases(columns)
  // named otherwise than the columns, whose names in the ORDER BY must mean what is inside
  const list = columns.map((column, i) => `${exactForm(column, names[i] as string) ?? names[i]} as exact_${i}`)
  const order = orderBy.map(item => item.replace(/^\d+/, ordinal => names[Number(ordinal) - 1] ?? ordinal))
  return `select ${list.join(', ')}
from (
${sql}
) as itemtrail_answer (${names.join(', ')})${order.length === 0 ? '' : `\norder by ${order.join(', ')}`}`
}

/** The columns' own names, quoted; a name that came before gets one that nothing refers to. */
function aliases(columns: readonly ColumnInfo[]): readonly string[] {
  const seen = new Set<string>()
  return columns.map(({ Name = '' }, i) => {
    const isNew = Name !== '' && !seen.has(Name.toLowerCase())
    seen.add(Name.toLowerCase())
    return isNew ? `"${Name.replaceAll('"', '""')}"` : `"itemtrail_${i}"`
  })
}

/** A page by columns. The first row of a SELECT's first page is no row: it has the names. */
function chunkOf(
  { ResultSet }: GetQueryResultsOutput,
  columns: readonly ColumnInfo[],
  isFirst: boolean,
): Chunk<string> {
  const rows = (ResultSet?.Rows ?? []).map(({ Data = [] }) => columns.map((_, i) => Data[i]?.VarCharValue ?? null))
  const isHeader = isFirst && columns.every(({ Name }, i) => rows[0]?.[i] === Name)
  const values = isHeader ? rows.slice(1) : rows
  return { rowCount: values.length, columns: columns.map((_, i) => values.map(row => row[i] ?? null)) }
}
