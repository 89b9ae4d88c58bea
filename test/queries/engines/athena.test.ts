import { AthenaClient } from '@aws-sdk/client-athena'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AthenaEngine } from '../../../queries/engines/athena.js'
import { type Execution, expenseOf } from '../../../queries/engines/athena-cost.js'
import { QueryError } from '../../../queries/engines/engine.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { asksForColumns, failure, openAthena, success } from '../../athena-engine.js'
import { type AthenaOperation, type AthenaServer, startAthenaServer } from '../../athena-server.js'
import { LOOPBACK_CONNECTION } from '../../loopback.js'

let server: AthenaServer
beforeEach(async () => {
  server = await startAthenaServer()
})
afterEach(() => server.stop())

const operations = () => server.requests.map(({ operation }) => operation)
const started = () => server.queries.map(({ input }) => input)
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    error => error as QueryError,
  )
const never = () => new Promise<never>(() => {})

describe('AthenaEngine', () => {
  it('asks in its workgroup, database and catalog, with values beside the text', async () => {
    server.answer = success(['a varchar'], [['1']])
    const sql = 'select a from t where a = ? and b > ?'
    await openAthena(server, { catalog: 'other' }).run(sql, ["' OR 1=1 --", 7])
    for (const input of started()) {
      expect(input).toMatchObject({
        WorkGroup: 'itemtrail',
        QueryExecutionContext: { Database: 'audit', Catalog: 'other' },
        ExecutionParameters: ["''' OR 1=1 --'", '7'],
      })
      expect(input.ResultConfiguration).toBeUndefined()
    }
    expect(started().map(input => input.QueryString)).toEqual([`select * from (\n${sql}\n) limit 0`, sql])
  })

  it('leaves the place of results to the workgroup unless it is told one', async () => {
    server.workgroup.outputLocation = undefined
    const error = await errorOf(openAthena(server).run('select 1'))
    expect(error.message).toMatch(/^athena refused the request: No output location provided/)
    expect(error.hint).toMatch(/workgroup itemtrail .*s3:\/\/bucket\/prefix/)
    await openAthena(server, { outputLocation: 's3://mine/' }).run('select 1')
    expect(started().at(-1)?.ResultConfiguration).toEqual({ OutputLocation: 's3://mine/' })
    server.workgroup.managed = true
    await openAthena(server).run('select 1')
  })

  it('finds region, credentials and endpoint as every AWS tool does', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_ATHENA', server.endpoint)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'loopback')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'loopback')
    const engine = AthenaEngine.open({ workgroup: 'itemtrail', database: 'audit', region: 'eu-west-1' })
    await engine.run('show tables')
    engine.close()
    vi.unstubAllEnvs()
  })

  it('learns the columns of a text once', async () => {
    server.answer = success(['a varchar'], [['1']])
    const engine = openAthena(server)
    for (const value of ['x', 'y', 'z']) await engine.run('select a from t where a = ?', [value])
    expect(started().filter(({ QueryString = '' }) => asksForColumns(QueryString)).length).toBe(1)
    expect(started().length).toBe(4)
  })

  it('reads all pages, without the header, in order', async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => [String(i)])
    server.answer = success(['n varchar'], rows)
    const table = await openAthena(server).run('select n from t')
    expect([...rowsOf(table)].map(row => row.n)).toEqual(rows.map(([n]) => n))
    const pages = server.requests.filter(({ operation }) => operation === 'GetQueryResults')
    expect(pages.map(({ input }) => input.NextToken)).toEqual([undefined, undefined, '1000', '2000'])
  })

  it('gives an answer page by page', async () => {
    server.answer = success(
      ['n varchar'],
      Array.from({ length: 2500 }, (_, i) => [String(i)]),
    )
    const pages: number[] = []
    for await (const table of openAthena(server).stream('select n from t')) pages.push(table.numRows)
    expect(pages).toEqual([999, 1000, 501])
    server.answer = success(['n varchar'])
    for await (const _ of openAthena(server).stream('select n from t')) expect.unreachable()
  })

  it('says what answers, and over what', async () => {
    const description = {
      name: 'athena',
      version: 'Athena engine version 3',
      archive: { catalog: 'AwsDataCatalog', database: 'audit', workgroup: 'itemtrail' },
    }
    expect(await openAthena(server).describe()).toEqual(description)
    const engine = openAthena(server)
    await engine.run('show tables')
    server.fault = () => ({ type: 'AccessDeniedException', message: 'no' })
    expect(await engine.describe()).toEqual(description)
    expect((await openAthena(server).describe()).version).toBeNull()
  })

  it('keeps a row that reads like the header', async () => {
    server.answer = success(['a varchar', 'b varchar'], [['a', 'b']])
    const table = await openAthena(server).run('select a, b from t')
    expect([...rowsOf(table)]).toEqual([{ a: 'a', b: 'b' }])
  })

  it('runs what is no query as it is, and its answer has no header', async () => {
    server.answer = success(['tab_name string'], [['tab_name'], ['orders']])
    const table = await openAthena(server).run('show tables;')
    expect([...rowsOf(table)]).toEqual([{ tab_name: 'tab_name' }, { tab_name: 'orders' }])
    expect(started().map(input => input.QueryString)).toEqual(['show tables'])
  })

  it('answers no rows with the columns all the same', async () => {
    server.answer = success(['a bigint', 'b array', 'c timestamp'])
    const table = await openAthena(server).run('select a, b, c from t')
    expect(table.schema.fields.map(String)).toEqual(['a: Int64', 'b: List<Utf8>', 'c: Timestamp<MICROSECOND>'])
    expect(table.numRows).toBe(0)
  })

  it('waits longer from poll to poll, up to two seconds, never quite the same time', async () => {
    server.states = Array.from({ length: 12 }, (_, i) => (i === 5 ? 'QUEUED' : 'RUNNING'))
    const waits: number[] = []
    await openAthena(server, { random: () => 0 }, waits).run('show tables')
    await openAthena(server, { random: () => 1 }, waits).run('show tables')
    const [least, most] = [waits.slice(0, 12), waits.slice(12)]
    expect(most.map(Math.round)).toEqual([100, 150, 225, 338, 506, 759, 1139, 1709, 2000, 2000, 2000, 2000])
    expect(least).toEqual(most.map(ms => ms / 2))
  })

  it('reports each statement: bytes scanned, time, cost, the engine that ran it', async () => {
    server.answer = success(['a varchar'], [], 20 * 1024 ** 2)
    const reported: Execution[] = []
    const engine = openAthena(server, { onExecution: execution => reported.push(execution) })
    await engine.run('select a from t')
    expect(engine.executions).toEqual(reported)
    expect(reported[1]).toMatchObject({
      id: server.queries[1]?.id,
      state: 'SUCCEEDED',
      engineVersion: 'Athena engine version 3',
      bytesScanned: 20 * 1024 ** 2,
      engineMs: 100 + 20 * 1024,
    })
    expect(expenseOf(reported)).toMatchObject({ queries: 2, bytesScanned: 20 * 1024 ** 2 })
  })
})

describe('AthenaEngine, stopped', () => {
  it('stops the query in Athena when its signal says so, and gives the reason', async () => {
    server.answer = never
    const controller = new AbortController()
    const sleep = async (_: number, signal: AbortSignal) => {
      controller.abort('enough')
      signal.throwIfAborted()
    }
    const error = await errorOf(openAthena(server, { sleep }).run('select 1', [], { signal: controller.signal }))
    expect(error).toBeInstanceOf(QueryError)
    expect(error.message).toBe('the statement was stopped')
    expect(error.cause).toBe('enough')
    expect(server.queries.map(({ stopped }) => stopped)).toEqual([true])
    expect(operations().at(-1)).toBe('StopQueryExecution')
  })

  it('stops while a poll is on its way, by the signal of the engine too', async () => {
    const controller = new AbortController()
    server.answer = never
    server.fault = (operation, call) => {
      if (operation === 'GetQueryExecution' && call === 2) controller.abort()
      return undefined
    }
    const error = await errorOf(openAthena(server, { signal: controller.signal }).run('select 1'))
    expect(error.message).toBe('the statement was stopped')
    expect(server.queries.map(({ stopped }) => stopped)).toEqual([true])
  })

  it('stops a query whose start was under way', async () => {
    const controller = new AbortController()
    server.answer = never
    server.fault = operation => {
      if (operation === 'StartQueryExecution') controller.abort()
      return undefined
    }
    const error = await errorOf(openAthena(server, { signal: controller.signal }).run('select 1'))
    expect(error.message).toBe('the statement was stopped')
    expect(server.queries.map(({ stopped }) => stopped)).toEqual([true])
  })

  it('starts nothing after its signal, and reads no further page', async () => {
    const error = await errorOf(openAthena(server, { signal: AbortSignal.abort() }).run('select 1'))
    expect(error.message).toBe('the statement was stopped')
    expect(operations()).toEqual([])
    const controller = new AbortController()
    server.answer = success(['n varchar'], Array(3000).fill(['1']))
    server.fault = (operation, call) => {
      if (operation === 'GetQueryResults' && call === 2) controller.abort()
      return undefined
    }
    const engine = openAthena(server)
    await errorOf(engine.run('select n from t', [], { signal: controller.signal }))
    expect(operations().filter(operation => operation === 'GetQueryResults').length).toBe(3)
    expect(operations()).not.toContain('StopQueryExecution')
  })

  it('says which query may still run where Athena would not stop it', async () => {
    server.answer = never
    const controller = new AbortController()
    server.fault = operation => {
      if (operation === 'GetQueryExecution') controller.abort()
      return operation === 'StopQueryExecution' ? { type: 'AccessDeniedException', message: 'no' } : undefined
    }
    const error = await errorOf(openAthena(server).run('select 1', [], { signal: controller.signal }))
    const id = server.queries[0]?.id
    expect(error.message).toBe(
      `athena query ${id} may still run, it could not be stopped: athena refused the request: no`,
    )
    expect(error.hint).toBe(`aws athena stop-query-execution --query-execution-id ${id}`)
  })

  it('stops a query that it cannot follow any more', async () => {
    server.answer = never
    server.fault = operation =>
      operation === 'GetQueryExecution'
        ? { type: 'AccessDeniedException', message: 'not authorized to perform: athena:GetQueryExecution' }
        : undefined
    const error = await errorOf(openAthena(server).run('select 1'))
    expect(error.message).toMatch(/not authorized to perform: athena:GetQueryExecution/)
    expect(error.hint).toMatch(/GetQueryExecution.* on workgroup itemtrail/)
    expect(server.queries[0]?.stopped).toBe(true)
  })
})

describe('AthenaEngine, throttled', () => {
  const throttled = (of: AthenaOperation, times: number) => (operation: AthenaOperation, call: number) =>
    operation === of && call < times
      ? { type: 'TooManyRequestsException', message: 'too many', reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' }
      : undefined

  it('starts a query again with the same token until Athena takes it', async () => {
    const waits: number[] = []
    server.fault = throttled('StartQueryExecution', 8)
    server.states = []
    await openAthena(server, { random: () => 1 }, waits).run('show tables')
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    const tokens = server.requests.filter(({ operation }) => operation === 'StartQueryExecution')
    expect(new Set(tokens.map(({ input }) => input.ClientRequestToken)).size).toBe(1)
    expect(server.queries.length).toBe(1)
  })

  it.each(['GetQueryExecution', 'GetQueryResults'] as const)('asks again after a throttled %s', async of => {
    server.fault = (operation, call) =>
      operation === of && call < 3 ? { type: 'ThrottlingException', message: 'Rate exceeded' } : undefined
    await openAthena(server).run('show tables')
  })

  it('gives up after some minutes, with the words of AWS', async () => {
    const waits: number[] = []
    server.fault = throttled('StartQueryExecution', Number.POSITIVE_INFINITY)
    const error = await errorOf(openAthena(server, { random: () => 1 }, waits).run('show tables'))
    expect(error.message).toBe('athena refused the request: too many')
    expect(error.hint).toMatch(/quota/)
    expect((error.cause as Error).name).toBe('TooManyRequestsException')
    expect(waits.reduce((sum, ms) => sum + ms, 0) / 60_000).toBeCloseTo(3.5, 0)
  })

  it('starts one query where the answer to the first attempt was lost', async () => {
    server.fault = (operation, call) => (operation === 'StartQueryExecution' && call === 0 ? 'lost' : undefined)
    const client = new AthenaClient({ ...LOOPBACK_CONNECTION, endpoint: server.endpoint })
    await openAthena(server, { client }).run('show tables')
    expect(operations().slice(0, 2)).toEqual(['StartQueryExecution', 'StartQueryExecution'])
    expect(server.queries.length).toBe(1)
  })
})

describe('AthenaEngine, refused', () => {
  const reasons: readonly (readonly [reason: string, hint: RegExp])[] = [
    [
      "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.audit.orders' does not exist",
      /database audit of catalog AwsDataCatalog/,
    ],
    ["SCHEMA_NOT_FOUND: line 1:15: Schema 'audit' does not exist", /database audit/],
    ["COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved or requester is not authorized", /show columns/],
    ["SYNTAX_ERROR: line 1:8: mismatched input 'frm'. Expecting: ','", /Trino's SQL/],
    [
      'Access denied when writing output to url: s3://results/1.csv . Please ensure you are allowed to access the S3 bucket. If you are encrypting query results with KMS key, please ensure you are allowed to access your KMS key',
      /s3:PutObject.*kms:GenerateDataKey/,
    ],
    [
      'Insufficient permissions to execute the query. User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: glue:GetTable on resource: arn:aws:glue:us-east-1:1:catalog',
      /glue:GetTable.*database audit/,
    ],
    [
      'User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:1:key/k (Service: AWSKMS; Status Code: 400)',
      /kms:Decrypt on the archive's key/,
    ],
    [
      'PERMISSION_DENIED: Access Denied: com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)',
      /s3:GetObject and s3:ListBucket/,
    ],
    ['Insufficient Lake Formation permission(s) on orders', /SELECT granted/],
    [
      'INVALID_TABLE_PROPERTY: Table audit.orders is configured for partition projection, but property projection.event_date.range is invalid',
      /projection\.\* properties/,
    ],
    ['Query exhausted resources at this scale factor', /shorter period/],
    ['Query timeout', /shorter period/],
  ]

  it.each(reasons)('keeps the words of %s and adds what to do', async (reason, hint) => {
    server.answer = () => failure(reason)
    const error = await errorOf(openAthena(server).run('select a from orders'))
    expect(error).toBeInstanceOf(QueryError)
    expect(error.message).toBe(`athena query ${server.queries.at(-1)?.id} failed: ${reason}`)
    expect(error.hint).toMatch(hint)
    expect(error.cause).toMatchObject({ ErrorMessage: reason })
  })

  it('tells of a mistake in the text by the line and column of the text itself', async () => {
    server.answer = sql =>
      failure(`COLUMN_NOT_FOUND: line ${asksForColumns(sql) ? 2 : 1}:8: Column 'x' cannot be resolved`)
    const error = await errorOf(openAthena(server).run('select x from orders'))
    expect(error.message).toMatch(/line 1:8/)
  })

  it('says how much a query had scanned when it was cut off, and what the workgroup allows', async () => {
    server.workgroup.cutoffBytes = 10 * 1024 ** 2
    server.answer = success(['a varchar'], [], 30 * 1024 ** 2)
    const engine = openAthena(server)
    const error = await errorOf(engine.run('select a from orders'))
    expect(error.message).toBe(
      `athena query ${server.queries[1]?.id} was cancelled: Bytes scanned limit was exceeded (10.0 MB scanned of 10.0 MB allowed)`,
    )
    expect(error.hint).toMatch(/shorter period.*workgroup itemtrail.*scanCutoffGb.*billed/)
    expect(engine.executions.at(-1)).toMatchObject({ state: 'CANCELLED', bytesScanned: 10 * 1024 ** 2 })
    expect(engine.executions.at(-1)?.costUsd).toBeGreaterThan(0)
  })

  it('says the same of a cut-off where the workgroup may not be looked at', async () => {
    server.answer = () => failure('Bytes scanned limit was exceeded', 'CANCELLED', 5 * 1024 ** 3)
    server.fault = operation =>
      operation === 'GetWorkGroup' ? { type: 'AccessDeniedException', message: 'no' } : undefined
    const error = await errorOf(openAthena(server).run('select a from orders'))
    expect(error.message).toMatch(/Bytes scanned limit was exceeded \(5\.0 GB scanned\)$/)
  })

  it('tells a query that somebody else cancelled', async () => {
    server.answer = () => failure('Query cancelled by user', 'CANCELLED')
    const error = await errorOf(openAthena(server).run('select a from orders'))
    expect(error.message).toMatch(/was cancelled: Query cancelled by user$/)
  })

  it.each([
    [{ type: 'InvalidRequestException', message: 'WorkGroup is not found.' }, /name of the workgroup/],
    [{ type: 'ExpiredTokenException', message: 'The security token included in the request is expired' }, /sign in/],
    [
      { type: 'AccessDeniedException', message: 'User x is not authorized to perform: athena:StartQueryExecution' },
      /athena:StartQueryExecution/,
    ],
    [{ type: 'InternalServerException', message: 'ouch', status: 500 }, undefined],
  ])('keeps the words of a refused request: %j', async (fault, hint) => {
    server.fault = () => fault
    const error = await errorOf(openAthena(server).run('select 1'))
    expect(error.message).toBe(`athena refused the request: ${fault.message}`)
    expect((error.cause as Error).name).toBe(fault.type)
    if (hint === undefined) expect(error.hint).toBeUndefined()
    else expect(error.hint).toMatch(hint)
  })

  it('says what to do where there are no credentials, and where nobody answers', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      })
    }
    const without = new AthenaClient({ region: 'us-east-1', credentials, endpoint: server.endpoint })
    expect((await errorOf(openAthena(server, { client: without }).run('select 1'))).hint).toMatch(/aws sso login/)
    const nobody = new AthenaClient({ ...LOOPBACK_CONNECTION, endpoint: 'http://127.0.0.1:9', maxAttempts: 1 })
    const error = await errorOf(openAthena(server, { client: nobody }).run('select 1'))
    expect(error.message).toMatch(/ECONNREFUSED|bad port/)
    expect(error.hint).toMatch(/could not be reached/)
  })
})
