/**
 * Athena's JSON protocol on loopback: it enforces the service's limits, runs queries by a script or by a real Trino,
 * and fails on demand.
 */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ColumnInfo, StartQueryExecutionInput } from '@aws-sdk/client-athena'
import { type Loopback, startLoopback } from './loopback.js'

export type AthenaOperation =
  | 'StartQueryExecution'
  | 'GetQueryExecution'
  | 'GetQueryResults'
  | 'StopQueryExecution'
  | 'GetWorkGroup'

/** How a query ends. Rows are without their header; a value is text, null where there is none. */
export type Outcome =
  | {
      readonly state: 'SUCCEEDED'
      readonly columns: readonly ColumnInfo[]
      readonly rows: readonly (readonly (string | null)[])[]
      readonly bytesScanned?: number
    }
  | {
      readonly state: 'FAILED' | 'CANCELLED'
      readonly reason: string
      /** 1 system, 2 user, 3 other. */
      readonly category?: number
      readonly bytesScanned?: number
    }

/** What a request meets with: an error of the service, or a connection that breaks before its answer arrives. */
export type AthenaFault =
  | { readonly status?: number; readonly type: string; readonly message: string; readonly reason?: string }
  | 'lost'
  | undefined

/** The one workgroup there is. */
export interface Workgroup {
  name: string
  outputLocation: string | undefined
  managed: boolean
  cutoffBytes: number | undefined
}

/** A query as the server keeps it. */
export interface ServedQuery {
  readonly id: string
  readonly input: StartQueryExecutionInput
  /** States that are yet to be told before the outcome is. */
  readonly upcoming: ('QUEUED' | 'RUNNING')[]
  readonly submittedAt: number
  stopped: boolean
  outcome: Outcome | undefined
  /** Settles when there is an outcome. */
  settled: Promise<unknown>
}

export interface AthenaServer extends Loopback {
  readonly workgroup: Workgroup
  readonly queries: ServedQuery[]
  /** Operations in order, with what each asked. */
  readonly requests: { readonly operation: AthenaOperation; readonly input: Record<string, unknown> }[]
  /** Gives a query's outcome; one that never comes leaves it running. */
  answer: (sql: string, parameters: readonly string[]) => Promise<Outcome> | Outcome
  fault: (operation: AthenaOperation, call: number) => AthenaFault
  /** The states that each query goes through first. */
  states: readonly ('QUEUED' | 'RUNNING')[]
  /** How long it waits for the end of a query before it says that it runs, so that nobody asks again and again. */
  holdMs: number
}

/** Limits of the API reference, where a request is refused beyond them. */
const LIMITS = { queryBytes: 262_144, parameterLength: 1024, pageRows: 1000, tokenLength: [32, 128] } as const
const ENGINE = 'Athena engine version 3'

export async function startAthenaServer(): Promise<AthenaServer> {
  const calls = new Map<AthenaOperation, number>()
  const loopback = await startLoopback(async (request, body, response) => {
    const operation = String(request.headers['x-amz-target']).replace('AmazonAthena.', '') as AthenaOperation
    const input = JSON.parse(body.toString()) as Record<string, unknown>
    const call = calls.get(operation) ?? 0
    calls.set(operation, call + 1)
    server.requests.push({ operation, input })
    const fault = server.fault(operation, call)
    if (fault === 'lost') response.destroy()
    else if (fault !== undefined) return refuse(response, fault.type, fault.message, fault)
    return serve(server, operation, input, response)
  })
  const server: AthenaServer = {
    ...loopback,
    workgroup: { name: 'itemtrail', outputLocation: 's3://results/', managed: false, cutoffBytes: undefined },
    queries: [],
    requests: [],
    answer: () => ({ state: 'SUCCEEDED', columns: [], rows: [] }),
    fault: () => undefined,
    states: ['QUEUED', 'RUNNING'],
    holdMs: 0,
  }
  return server
}

function serve(
  server: AthenaServer,
  operation: AthenaOperation,
  input: Record<string, unknown>,
  response: ServerResponse,
): unknown {
  if (operation === 'StartQueryExecution') return start(server, input as unknown as StartQueryExecutionInput, response)
  if (operation === 'GetWorkGroup') return respond(response, { WorkGroup: describeWorkgroup(server.workgroup) })
  const query = server.queries.find(({ id }) => id === input.QueryExecutionId)
  if (query === undefined) {
    return refuse(response, 'InvalidRequestException', `QueryExecution ${input.QueryExecutionId} was not found`)
  }
  if (operation === 'GetQueryExecution') return describeWhenHeld(server, query, response)
  if (operation === 'GetQueryResults') return results(query, input, response)
  query.stopped = true
  return respond(response, {})
}

async function describeWhenHeld(server: AthenaServer, query: ServedQuery, response: ServerResponse): Promise<void> {
  if (server.holdMs > 0) await Promise.race([query.settled, sleep(server.holdMs, undefined, { ref: false })])
  respond(response, { QueryExecution: describeQuery(server, query) })
}

function start(server: AthenaServer, input: StartQueryExecutionInput, response: ServerResponse): unknown {
  const fault = whyRefused(server, input)
  if (fault !== undefined) return refuse(response, 'InvalidRequestException', fault, { reason: 'INVALID_INPUT' })
  const known = server.queries.find(query => query.input.ClientRequestToken === input.ClientRequestToken)
  if (known !== undefined) return respond(response, { QueryExecutionId: known.id })
  const query: ServedQuery = {
    id: randomUUID(),
    input,
    upcoming: [...server.states],
    submittedAt: Date.now(),
    stopped: false,
    outcome: undefined,
    settled: Promise.resolve(),
  }
  server.queries.push(query)
  const { QueryString = '', ExecutionParameters = [] } = input
  query.settled = Promise.resolve(server.answer(QueryString, ExecutionParameters)).then(
    outcome => (query.outcome = cutOff(outcome, server.workgroup)),
    error => (query.outcome = { state: 'FAILED', reason: (error as Error).message, category: 2 }),
  )
  return respond(response, { QueryExecutionId: query.id })
}

function whyRefused({ workgroup }: AthenaServer, input: StartQueryExecutionInput): string | undefined {
  const { QueryString = '', ExecutionParameters, ClientRequestToken = '', WorkGroup, ResultConfiguration } = input
  const atFault = (name: string, rule: string) =>
    `1 validation error detected: Value at '${name}' failed to satisfy constraint: ${rule}`
  const [shortest, longest] = LIMITS.tokenLength
  if (QueryString === '') return atFault('queryString', 'Member must have length greater than or equal to 1')
  if (Buffer.byteLength(QueryString) > LIMITS.queryBytes) {
    return atFault('queryString', `Member must have length less than or equal to ${LIMITS.queryBytes}`)
  }
  if (ClientRequestToken.length < shortest || ClientRequestToken.length > longest) return atFault('token', 'length')
  if (ExecutionParameters?.length === 0) return atFault('executionParameters', 'Member must have length greater than 0')
  if (ExecutionParameters?.some(text => text.length < 1 || Buffer.byteLength(text) > LIMITS.parameterLength)) {
    return atFault('executionParameters', 'Member must satisfy constraint: [Member must have length 1 to 1024]')
  }
  if (WorkGroup !== workgroup.name) return 'WorkGroup is not found.'
  if (workgroup.outputLocation ?? ResultConfiguration?.OutputLocation ?? workgroup.managed) return undefined
  return 'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.'
}

function cutOff(outcome: Outcome, { cutoffBytes = Number.POSITIVE_INFINITY }: Workgroup): Outcome {
  if ((outcome.bytesScanned ?? 0) <= cutoffBytes) return outcome
  return { state: 'CANCELLED', reason: 'Bytes scanned limit was exceeded', bytesScanned: cutoffBytes }
}

/**
 * DML where there are rows to page through; SHOW, DESCRIBE and EXPLAIN are UTILITY, and their answers have no header.
 */
function statementType({ input }: ServedQuery): string {
  return /^\s*(select|with|values|table|\()/i.test(input.QueryString ?? '') ? 'DML' : 'UTILITY'
}

function describeQuery(server: AthenaServer, query: ServedQuery): object {
  const status = statusOf(query)
  const spent = (query.outcome?.bytesScanned ?? 0) / 1024
  const { workgroup } = server
  return {
    QueryExecutionId: query.id,
    Query: query.input.QueryString,
    StatementType: statementType(query),
    SubstatementType: 'SELECT',
    ManagedQueryResultsConfiguration: { Enabled: workgroup.managed },
    ...(!workgroup.managed && {
      ResultConfiguration: { OutputLocation: `${workgroup.outputLocation ?? 's3://given/'}${query.id}.csv` },
    }),
    ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: false } },
    QueryExecutionContext: query.input.QueryExecutionContext,
    Status: { ...status, SubmissionDateTime: query.submittedAt / 1000 },
    Statistics: {
      EngineExecutionTimeInMillis: 100 + Math.round(spent),
      DataScannedInBytes: query.outcome?.bytesScanned ?? 0,
      TotalExecutionTimeInMillis: 300 + Math.round(spent),
      QueryQueueTimeInMillis: 80,
      ServicePreProcessingTimeInMillis: 60,
      QueryPlanningTimeInMillis: 40,
      ServiceProcessingTimeInMillis: 20,
      ResultReuseInformation: { ReusedPreviousResult: false },
    },
    WorkGroup: workgroup.name,
    EngineVersion: { SelectedEngineVersion: ENGINE, EffectiveEngineVersion: ENGINE },
  }
}

function statusOf(query: ServedQuery): object {
  if (query.stopped) return { State: 'CANCELLED', StateChangeReason: 'Query cancelled by user' }
  const upcoming = query.upcoming.shift()
  if (upcoming !== undefined) return { State: upcoming }
  const { outcome } = query
  if (outcome === undefined) return { State: 'RUNNING' }
  if (outcome.state === 'SUCCEEDED') return { State: 'SUCCEEDED', CompletionDateTime: Date.now() / 1000 }
  const { state, reason, category = 2 } = outcome
  return {
    State: state,
    StateChangeReason: reason,
    CompletionDateTime: Date.now() / 1000,
    ...(state === 'FAILED' && {
      AthenaError: { ErrorCategory: category, ErrorType: 1006, Retryable: category === 1, ErrorMessage: reason },
    }),
  }
}

function results(query: ServedQuery, input: Record<string, unknown>, response: ServerResponse): unknown {
  const { outcome } = query
  if (outcome?.state !== 'SUCCEEDED' || query.stopped || query.upcoming.length > 0) {
    return refuse(response, 'InvalidRequestException', 'Query has not yet finished. Current state: RUNNING')
  }
  const { MaxResults = LIMITS.pageRows, NextToken = '0' } = input as { MaxResults?: number; NextToken?: string }
  if (MaxResults > LIMITS.pageRows) return refuse(response, 'InvalidRequestException', 'MaxResults is over 1000')
  const header = statementType(query) === 'DML' ? [outcome.columns.map(({ Name = '' }) => Name)] : []
  const rows = [...header, ...outcome.rows]
  const end = Number(NextToken) + MaxResults
  return respond(response, {
    UpdateCount: 0,
    ResultSet: {
      Rows: rows.slice(Number(NextToken), end).map(row => ({
        Data: row.map(value => (value === null ? {} : { VarCharValue: value })),
      })),
      ResultSetMetadata: { ColumnInfo: outcome.columns.map(describeColumn) },
    },
    ...(end < rows.length && { NextToken: String(end) }),
  })
}

function describeColumn(column: ColumnInfo): object {
  const { Name, Type, Precision = 2147483647, Scale = 0 } = column
  const place = { CatalogName: 'hive', SchemaName: '', TableName: '' }
  return { ...place, Name, Label: Name, Type, Precision, Scale, Nullable: 'UNKNOWN', CaseSensitive: Type === 'varchar' }
}

function describeWorkgroup({ name, outputLocation, managed, cutoffBytes }: Workgroup): object {
  return {
    Name: name,
    State: 'ENABLED',
    Configuration: {
      ResultConfiguration: { ...(outputLocation !== undefined && { OutputLocation: outputLocation }) },
      ManagedQueryResultsConfiguration: { Enabled: managed },
      EnforceWorkGroupConfiguration: true,
      PublishCloudWatchMetricsEnabled: true,
      ...(cutoffBytes !== undefined && { BytesScannedCutoffPerQuery: cutoffBytes }),
      RequesterPaysEnabled: false,
      EngineVersion: { SelectedEngineVersion: ENGINE, EffectiveEngineVersion: ENGINE },
    },
    CreationTime: 1_795_000_000,
  }
}

function respond(response: ServerResponse, body: object, status = 200): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
}

/** As the service words it: some errors have `Message`, those of its front door `message`. */
function refuse(
  response: ServerResponse,
  type: string,
  message: string,
  { status = 400, reason }: { readonly status?: number; readonly reason?: string } = {},
): ServerResponse {
  const own = /^(InvalidRequest|TooManyRequests|InternalServer|Metadata)Exception$/.test(type)
  const detail = reason !== undefined && {
    [type === 'TooManyRequestsException' ? 'Reason' : 'AthenaErrorCode']: reason,
  }
  return respond(response, { __type: type, [own ? 'Message' : 'message']: message, ...detail }, status)
}
