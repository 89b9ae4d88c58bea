import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  GetWorkGroupCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  type WorkGroupConfiguration,
} from '@aws-sdk/client-athena'
import { ATHENA_PATIENCE, isThrottled, patiently } from '../../aws/patience.js'
import { type Execution, executionOf, formatBytes } from './athena-cost.js'
import { type AthenaPlace, athenaError, DEFAULT_CATALOG } from './athena-errors.js'
import type { AthenaStatement } from './athena-parameters.js'
import { QueryError } from './engine.js'

/** Where statements run in Athena, and how patiently. */
export interface AthenaSettings extends AthenaPlace {
  /** Where results go, `s3://bucket/prefix/`. @default - as the workgroup says: its own location, or managed results */
  readonly outputLocation?: string | undefined
  /** @default - a timer */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** A number from 0 to 1 that spreads waiting times. @default - Math.random */
  readonly random?: () => number
}

/** Rows a page holds at most (API reference, GetQueryResults). */
const PAGE = 1000
const POLL = { first: 100, longest: 2000 } as const
const CUT_OFF = /bytes scanned limit/i

/** A query that was given up and goes on all the same. */
export class StillRunning extends QueryError {}

/** Athena's API for one statement at a time: start, wait, page through the answer; stop what nobody waits for. */
export class AthenaService {
  constructor(
    private readonly client: AthenaClient,
    private readonly settings: AthenaSettings,
  ) {}

  /** Runs a statement to its end and tells what it took; throws a `QueryError` where that is no good end. */
  async execute(
    bound: AthenaStatement,
    signal: AbortSignal,
    ended: (execution: Execution) => void,
  ): Promise<QueryExecution> {
    const id = await this.start(bound, signal)
    const query = await this.waitFor(id, signal).catch(async error => {
      await this.stop(id)
      throw error
    })
    const execution = executionOf(query)
    ended(execution)
    if (execution.state === 'SUCCEEDED') return query
    throw await this.failure(query, execution)
  }

  /** The pages of a query's answer, at least one. */
  async *pages(id: string | undefined, signal: AbortSignal): AsyncGenerator<GetQueryResultsOutput> {
    for (let token: string | undefined; ; ) {
      const command = new GetQueryResultsCommand({ QueryExecutionId: id, NextToken: token, MaxResults: PAGE })
      const page = await this.request(() => this.client.send(command, { abortSignal: signal }), signal)
      yield page
      token = page.NextToken
      if (token === undefined) return
    }
  }

  /** How the workgroup is set; undefined where it may not be looked at. */
  async workgroup(): Promise<WorkGroupConfiguration | undefined> {
    const command = new GetWorkGroupCommand({ WorkGroup: this.settings.workgroup })
    const answer = await this.client.send(command).catch(() => undefined)
    return answer?.WorkGroup?.Configuration
  }

  close(): void {
    this.client.destroy()
  }

  /** Not to be aborted half-way: a query that has started must be known, to be stopped. */
  private async start({ sql, parameters }: AthenaStatement, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const { workgroup, database, catalog = DEFAULT_CATALOG, outputLocation } = this.settings
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

  private async waitFor(id: string, signal: AbortSignal): Promise<QueryExecution> {
    const { sleep = wait, random = Math.random } = this.settings
    for (let attempt = 0; ; attempt++) {
      const command = new GetQueryExecutionCommand({ QueryExecutionId: id })
      const { QueryExecution: query } = await this.request(
        () => this.client.send(command, { abortSignal: signal }),
        signal,
      )
      if (query !== undefined && !['QUEUED', 'RUNNING'].includes(query.Status?.State ?? '')) return query
      signal.throwIfAborted()
      // spread, so that many who wait do not come back together
      await sleep(Math.min(POLL.first * 1.5 ** attempt, POLL.longest) * (1 + random()) * 0.5, signal)
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
    if (!CUT_OFF.test(words)) return athenaError(subject, words, this.settings, AthenaError)
    const limit = (await this.workgroup())?.BytesScannedCutoffPerQuery
    const allowed = limit === undefined ? '' : ` of ${formatBytes(limit)} allowed`
    return new QueryError(`${subject}: ${words} (${formatBytes(bytesScanned)} scanned${allowed})`, {
      cause: AthenaError,
      hint: `ask about a shorter period, or raise the limit of workgroup ${this.settings.workgroup} (scanCutoffGb in the configuration); what was scanned is billed`,
    })
  }

  /** Sends a request, again where it was one too many: what the network lost the client itself sends again. */
  private async request<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { sleep = wait, random = Math.random } = this.settings
    try {
      return await patiently(send, {
        ...ATHENA_PATIENCE,
        service: 'athena',
        signal,
        passes: error => isThrottled(error, 'athena'),
        sleep: ms => sleep(ms, signal),
        random,
      })
    } catch (error) {
      if (signal.aborted) throw error
      throw athenaError('athena refused the request', (error as Error).message, this.settings, error)
    }
  }
}

function wait(ms: number, signal: AbortSignal): Promise<unknown> {
  return setTimeout(ms, undefined, { signal })
}
