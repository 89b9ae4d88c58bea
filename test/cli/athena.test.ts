/** The command line asking Athena: a server on loopback speaks its protocol, another CloudFormation's. */
import { spawn } from 'node:child_process'
import { hash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listDigest } from '../../derived/coverage.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { bucketOf, bucketPrefix, DERIVED_VERSION } from '../../transform/derived.js'
import { asksForColumns, failure, success } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { rowsOfRecord } from '../delivery/desk.js'
import { describedStack } from '../described-stack.js'
import { streamsRecord } from '../factories.js'
import { type Loopback, startLoopback } from '../loopback.js'
import { type StoredVersion, startS3Server } from '../s3-server.js'
import { fileOf, run } from './command-line.js'

const COMMAND = join(import.meta.dirname, '../../dist/cli/itemtrail.js')
const KEY = '{"order_id":{"S":"A"}}'
const [ROW] = rowsOfRecord(streamsRecord({ Keys: { order_id: { S: 'A' } }, NewImage: {} })) as [AuditRow]
const OF_ROW = [
  'event_id',
  'event_name',
  'event_time_us',
  'time_precision',
  'sequence',
  'source',
  'view_type',
  'actor',
  'actor_source',
  'last_writer',
  'user_identity',
  'old_image',
  'new_image',
  'old_hash',
  'new_hash',
  'source_event_id',
  'table_name',
  'region',
  'config_id',
  'subjects',
  'row_version',
  'row_hash',
] as const
const HISTORY = [
  'step bigint',
  'changed varchar',
  'event_time timestamp',
  ...OF_ROW.map(name => `${name} ${name === 'event_time_us' ? 'bigint' : 'varchar'}`),
  'repeats bigint',
  'conflict boolean',
]
const INSERT = [
  '1',
  null,
  ROW.event_time,
  ...OF_ROW.map(name => (ROW[name] === null ? null : String(ROW[name]))),
  '0',
  'false',
]

let server: AthenaServer
let place: Record<string, string>
beforeEach(async () => {
  server = await startAthenaServer()
  server.states = []
  place = {
    AWS_ENDPOINT_URL_ATHENA: server.endpoint,
    // nobody listens there: what a table itself holds is looked at in test/live
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'loopback',
    AWS_SECRET_ACCESS_KEY: 'loopback',
  }
  for (const [name, value] of Object.entries(place)) vi.stubEnv(name, value)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.stop()
})

/** Athena as it answers the questions behind `history Orders A`. */
function answerHistory(): void {
  server.answer = (sql, parameters) => {
    if (/^select (item_key|\* from \(\nselect item_key) /.test(sql))
      return success(['item_key varchar'], [[KEY]], 7)(sql, parameters) as never
    return success(HISTORY, [INSERT], 2 ** 20)(sql, parameters) as never
  }
}

const started = () =>
  server.queries.map(({ input }) => [input.WorkGroup, input.QueryExecutionContext?.Database] as const)

describe('a question to Athena', () => {
  it('is asked in workgroup and database of the flags, and tells what it took', async () => {
    answerHistory()
    const { exit, out, err } = await run(['history', 'Orders', 'A', '--workgroup', 'itemtrail', '--database', 'audit'])
    expect(err).toBe('athena: 4 queries, 1.0 MB scanned, 1.4 s, about USD 0.0002\n')
    expect([exit, out.split('\n')[0]]).toEqual([0, 'Orders A  1 change'])
    expect(new Set(started().map(String))).toEqual(new Set(['itemtrail,audit']))
    expect(server.queries.map(({ input }) => input.QueryString).filter(sql => !asksForColumns(sql ?? ''))[1]).toContain(
      'from "orders_deliveries"',
    )
  })

  it('of an event finds its item by the id, and looks at no object', async () => {
    const found = success(['event_id varchar', 'item_key varchar'], [[ROW.event_id, KEY]], 7)
    server.answer = (sql, parameters) =>
      /select event_id, min\(item_key\)/.test(sql)
        ? (found(sql, parameters) as never)
        : (success(HISTORY, [INSERT], 2 ** 20)(sql, parameters) as never)
    const flags = ['--workgroup', 'itemtrail', '--database', 'audit']
    const { exit, out } = await run(['show', 'Orders', ROW.event_id.slice(0, 8), ...flags])
    expect([exit, out.split('\n')[0]]).toEqual([0, 'Orders A  change 1 of 1 of the item'])
    expect(out).toContain('object              not looked at: the archive is no folder\n')
    const bare = await run(['show', ROW.event_id, ...flags])
    expect([bare.exit, bare.err]).toEqual([2, expect.stringContaining('type it before the id of the event')])
  })

  it('tells what it took where it fails, too, in the words of AWS, with what to do', async () => {
    server.answer = () => failure("TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.itemtrail.order' does not exist")
    const { exit, out, err } = await run([
      'query',
      'deletions',
      'Order',
      '--workgroup',
      'itemtrail',
      '--database',
      'audit',
    ])
    expect([exit, out]).toEqual([3, ''])
    expect(err).toMatch(
      /^athena: \d queries, 0 bytes scanned, [\d.]+ s, about USD 0\.0000\nitemtrail: the archive could not be asked: athena query \S+ failed: TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.itemtrail.order' does not exist\n {2}the statement ran in database audit of catalog AwsDataCatalog: .*\n$/,
    )
  })

  it('of wrong SQL is used wrongly, of what Athena refuses is not checked', async () => {
    const sql = ['sql', 'select 1 1', '--workgroup', 'itemtrail', '--database', 'audit']
    server.answer = () => failure("SYNTAX_ERROR: line 1:1: mismatched input '1'")
    const wrong = await run(sql)
    expect([wrong.exit, wrong.err]).toEqual([
      2,
      expect.stringContaining('itemtrail: statement cannot be run: athena query '),
    ])
    server.answer = () => failure('Access denied when writing output to url: s3://results/x.csv')
    const refused = await run(sql)
    expect([refused.exit, refused.err]).toEqual([
      3,
      expect.stringMatching(/Access denied when writing output[\s\S]*\n {2}the caller needs s3:PutObject/),
    ])
    const unknown = await run(['sql', 'select 1', '--workgroup', 'other', '--database', 'audit'])
    expect([unknown.exit, unknown.err]).toEqual([
      3,
      expect.stringMatching(/WorkGroup is not found[\s\S]*\n {2}look at the name of the workgroup/),
    ])
  })

  it.each([
    [
      'the environment',
      { ITEMTRAIL_ENGINE: 'athena', ITEMTRAIL_WORKGROUP: 'itemtrail', ITEMTRAIL_DATABASE: 'audit' },
      {},
      [],
      'audit',
    ],
    [
      'the configuration',
      { ITEMTRAIL_ENGINE: 'athena' },
      { athena: { workgroup: 'itemtrail', database: 'written' } },
      [],
      'written',
    ],
    ['the name that the configuration deploys', {}, {}, ['--engine', 'athena'], 'itemtrail'],
    [
      'a flag before the environment',
      { ITEMTRAIL_DATABASE: 'audit' },
      {},
      ['--workgroup', 'itemtrail', '--database', 'flagged'],
      'flagged',
    ],
  ])('finds its place by %s', async (_, environment, configuration, flags, database) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const config = fileOf('itemtrail.config.json', JSON.stringify({ tables: { Orders: {} }, ...configuration }))
    server.answer = success(['x integer'], [['1']])
    const { exit, out } = await run(['sql', 'select 1 as x', '--config', config, '--format', 'json', ...flags])
    expect([exit, out]).toEqual([0, expect.stringContaining('{"rows":[{"x":1}],\n"verdict":{"judged":false,')])
    expect(started()[0]).toEqual(['itemtrail', database])
  })

  it('says which name is missing, and how to say it', async () => {
    const { exit, err } = await run(['sql', 'select 1', '--engine', 'athena'])
    expect([exit, err]).toEqual([
      2,
      'itemtrail: which workgroup of Athena? expected --workgroup, ITEMTRAIL_WORKGROUP, or a configuration\n  --stack NAME takes workgroup and database from a deployed stack\n',
    ])
  })

  it('goes to a folder where one is named, whatever the environment says', async () => {
    vi.stubEnv('ITEMTRAIL_ENGINE', 'athena')
    const { exit, err } = await run(['sql', 'select 1', '--archive', 'nowhere'])
    expect([exit, err]).toEqual([3, expect.stringContaining('archive "nowhere" is not there')])
    // what is no question knows folders only
    const status = await run(['status', '--archive', './archive-that-is-not'])
    expect([status.exit, status.err]).toEqual([3, expect.stringContaining('is not there')])
    expect(server.requests).toEqual([])
  })

  it('asks of a table that nobody configured by its name, and of none with a name that no table has', async () => {
    server.answer = success(['n bigint'])
    const flags = ['--workgroup', 'itemtrail', '--database', 'audit']
    expect((await run(['query', 'volume-by-hour', 'My.Table', '--no-verdict', ...flags])).exit).toBe(0)
    expect(server.queries.at(-1)?.input.QueryString).toContain('from "my_table_deliveries"')
    const none = await run(['query', 'volume-by-hour', "x' or 1=1 --", ...flags])
    expect([none.exit, none.err]).toEqual([2, expect.stringContaining('is not in the archive')])
    expect(server.queries).toHaveLength(2)
  })

  it('carries a receipt that names workgroup and database', async () => {
    answerHistory()
    const receipt = fileOf('old.json', '')
    const flags = [
      '--workgroup',
      'itemtrail',
      '--database',
      'audit',
      '--receipt',
      receipt,
      '--force',
      '--format',
      'json',
    ]
    server.answer = success(['item_key varchar', 'event_time_us bigint'], [[KEY, '1795341600000000']], 10)
    const { exit, err } = await run(['sql', 'select item_key, event_time_us from orders', '--no-verdict', ...flags])
    expect([exit, err]).toEqual([
      0,
      expect.stringContaining(`receipt ${receipt}: 1 row of 1 item, not judged\nresult SHA-256 `),
    ])
    const again = await run(['rerun', receipt, '--trust-sql', '--workgroup', 'itemtrail', '--database', 'audit'])
    expect([again.exit, again.out]).toEqual([0, expect.stringContaining('the same answer, to the byte\n')])
    // a folder that is named goes before the engine of the receipt
    const inFolder = await run(['rerun', receipt, '--trust-sql', '--archive', 'nowhere'])
    expect([inFolder.exit, inFolder.err]).toEqual([3, expect.stringContaining('archive "nowhere" is not there')])
    server.answer = success(['item_key varchar', 'event_time_us bigint'], [[KEY, '1795341600000001']], 10)
    const other = await run(['rerun', receipt, '--trust-sql', '--workgroup', 'itemtrail', '--database', 'audit'])
    expect([other.exit, other.out]).toEqual([
      1,
      expect.stringMatching(
        /another answer\n[\s\S]*1 gone, by their place then: 1\n\n1 new, by their place now:\nplace[\s\S]*1795341600000001/,
      ),
    ])
  })
})

describe('--stack', () => {
  let stacks: Loopback
  let outputs: Record<string, string>
  beforeEach(async () => {
    outputs = {
      AuditArchiveBucketAF8C3F6B: 'bucket-1',
      AuditDatabaseName12345678: 'audit',
      AuditWorkgroupNameABCDEF01: 'itemtrail',
      Else: 'x',
    }
    stacks = await startLoopback((_, body, response) => {
      const name = new URLSearchParams(body.toString()).get('StackName')
      if (name !== 'Itemtrail')
        return response
          .writeHead(400)
          .end(
            `<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
          )
      return response.end(describedStack(name, outputs))
    })
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFORMATION', stacks.endpoint)
    server.answer = success(['x integer'], [['1']])
  })
  afterEach(() => stacks.stop())

  it('reads workgroup, database and bucket from the outputs of a deployed stack', async () => {
    const receipt = fileOf('receipt.json', '')
    const { exit } = await run(['sql', 'select 1 as x', '--stack', 'Itemtrail', '--receipt', receipt, '--force'])
    expect([exit, started()[0]]).toEqual([0, ['itemtrail', 'audit']])
    const { readFileSync } = await import('node:fs')
    expect(JSON.parse(readFileSync(receipt, 'utf8')).archive).toEqual({
      catalog: 'AwsDataCatalog',
      database: 'audit',
      workgroup: 'itemtrail',
      bucket: 'bucket-1',
    })
  })

  it('reads the copy of a stack that compacts, and the archive where it cannot', async () => {
    outputs.AuditDerivedBucketAF8C3F6B = 'bucket-2'
    const s3 = await startS3Server()
    vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.endpoint)
    const day = '2026-11-22'
    const object = s3.add({ key: `data/Orders/event_date=${day}/a.parquet`, body: Buffer.from('rows') })
    const etag = (body: Buffer) => `"${hash('md5', body)}"`
    const listed = ({ key, body }: StoredVersion) => [{ key, bytes: body.length, etag: etag(body) }]
    const name = randomUUID()
    const place = bucketPrefix('Orders', { name, digits: 1 }, bucketOf(KEY, 1))
    const copied = s3.add({ key: `${place}rows`, body: Buffer.from('copy') })
    const about = { digits: 1, rows: 1, deliveries: 1, digest: '1-1', firstDay: day, daysCopied: 1, sampleKey: KEY }
    const manifest = {
      version: DERIVED_VERSION,
      table: 'Orders',
      generation: 1,
      built: '2026-11-24T00:00:00Z',
      runs: [
        {
          name,
          ...about,
          beganUs: 1_795_000_000_000_000,
          days: [[day, day]],
          covered: listDigest(listed(object)),
          files: { [bucketOf(KEY, 1)]: listDigest(listed(copied)) },
        },
      ],
      unseen: {},
      checkpoints: [],
      answers: [],
      replaced: [],
    }
    s3.add({ key: 'derived/Orders/manifest.json', body: Buffer.from(JSON.stringify(manifest)) })
    answerHistory()
    const asked = ['history', 'Orders', 'A', '--stack', 'Itemtrail']
    const whole = (text: string) => text.includes('event_time_us,') && !asksForColumns(text)
    const lastHistory = () => server.queries.map(({ input }) => input.QueryString ?? '').findLast(whole)
    const { exit, out } = await run(asked)
    expect([exit, out.split('\n')[0]]).toEqual([0, 'Orders A  1 change'])
    expect(lastHistory()).toMatch(
      /^with "orders_deliveries" as \([\s\S]*"audit"."orders__by_item"[\s\S]*where not \(event_date between '2026-11-22' and '2026-11-22'\)\n\),\s+delivered as/,
    )

    const manifestOf = (text: string) => s3.add({ key: 'derived/Orders/manifest.json', body: Buffer.from(text) })
    const spoil = [
      [() => manifestOf('{'), 'is no JSON'],
      [() => manifestOf(JSON.stringify({ ...manifest, table: 'Other' })), 'table is "Other", expected "Orders"'],
      [
        () => manifestOf(JSON.stringify({ ...manifest, runs: [{ name: 'x' }] })),
        'runs[0].name is "x", expected a UUID',
      ],
      [
        () => {
          manifestOf(JSON.stringify(manifest))
          s3.versions.splice(s3.versions.indexOf(copied), 1)
        },
        'is gone',
      ],
    ] as const
    for (const [act, reason] of spoil) {
      act()
      const without = await run(asked)
      expect([without.exit, without.out]).toEqual([0, out])
      expect(without.err).toContain('compacted copy of Orders was not used, the archive was asked instead')
      expect(without.err).toContain(reason)
      expect(lastHistory()).not.toContain('orders__by_item')
    }
    await s3.stop()
  })

  it('says that the facts in the bucket may not be read, and what to do', async () => {
    const s3 = await startS3Server()
    vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.endpoint)
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    answerHistory()
    const { exit, err } = await run(['history', 'Orders', 'A', '--stack', 'Itemtrail'])
    expect([exit, err]).toEqual([
      3,
      expect.stringMatching(
        /own objects cannot be read from bucket bucket-1: AccessDenied: .*\n {2}the caller needs s3:ListBucket/,
      ),
    ])
    await s3.stop()
  })

  it('wants to know which of several archives is meant, unless flags say it', async () => {
    outputs.SecondWorkgroupNameABCDEF02 = 'other'
    const asked = ['sql', 'select 1 as x', '--stack', 'Itemtrail']
    const unclear = await run(asked)
    expect([unclear.exit, unclear.err]).toEqual([
      2,
      'itemtrail: stack "Itemtrail" has the outputs itemtrail and other for its WorkgroupName\n  --workgroup says which is meant; an archive of Itemtrail has it among its outputs\n',
    ])
    expect((await run([...asked, '--workgroup', 'itemtrail'])).exit).toBe(0)
  })

  it('says what is wrong with a stack that is none of ours, or none at all', async () => {
    outputs = { Else: 'x' }
    const foreign = await run(['sql', 'select 1', '--stack', 'Itemtrail'])
    expect([foreign.exit, foreign.err]).toEqual([
      2,
      expect.stringContaining('stack "Itemtrail" has no output WorkgroupName'),
    ])
    const none = await run(['sql', 'select 1', '--stack', 'Nope'])
    expect([none.exit, none.err]).toEqual([
      3,
      expect.stringMatching(
        /stack "Nope" cannot be described: ValidationError: Stack with id Nope does not exist\n {2}region and credentials/,
      ),
    ])
  })
})

describe('a question that is given up', () => {
  const never = () => new Promise<never>(() => {})

  it('stops the query in Athena, and says so', async () => {
    server.answer = never
    const controller = new AbortController()
    const asked = run(['sql', 'select 1', '--workgroup', 'itemtrail', '--database', 'audit'], {
      signal: controller.signal,
    })
    await vi.waitUntil(() => server.requests.some(({ operation }) => operation === 'GetQueryExecution'))
    controller.abort()
    expect((await asked).exit).toBe(3)
    expect(server.queries.map(({ stopped }) => stopped)).toEqual([true])
  })

  it.each([
    ['SIGINT', 'the question was given up, and its statement was stopped'],
    ['SIGTERM', 'the question was given up, and its statement was stopped'],
  ] as const)('by %s to the process stops the query in Athena, and ends by the signal', async (name, message) => {
    server.answer = never
    const argv = [COMMAND, 'sql', 'select 1', '--workgroup', 'itemtrail', '--database', 'audit']
    const child = spawn(process.execPath, argv, { env: { ...process.env, ...place } })
    let err = ''
    child.stderr.on('data', chunk => {
      err += chunk
    })
    await vi.waitUntil(() => server.requests.some(({ operation }) => operation === 'GetQueryExecution'), 20_000)
    child.kill(name)
    const [code, signal] = await new Promise<[number | null, string | null]>(done =>
      child.on('close', (...ending) => done(ending)),
    )
    expect(server.requests.at(-1)?.operation).toBe('StopQueryExecution')
    expect([code, signal, err]).toEqual([null, name, expect.stringContaining(`itemtrail: ${message}\n`)])
  })

  it('by a second Ctrl-C ends at once, whatever Athena does', async () => {
    server.answer = never
    server.fault = operation =>
      operation === 'StopQueryExecution' ? { type: 'TooManyRequestsException', message: 'busy' } : undefined
    const argv = [COMMAND, 'sql', 'select 1', '--workgroup', 'itemtrail', '--database', 'audit']
    const child = spawn(process.execPath, argv, { env: { ...process.env, ...place }, stdio: 'ignore' })
    await vi.waitUntil(() => server.requests.some(({ operation }) => operation === 'GetQueryExecution'), 20_000)
    child.kill('SIGINT')
    await vi.waitUntil(() => server.requests.some(({ operation }) => operation === 'StopQueryExecution'), 20_000)
    child.kill('SIGINT')
    const signal = await new Promise(done => child.on('close', (_, ending) => done(ending)))
    expect([signal, server.queries.map(({ stopped }) => stopped)]).toEqual(['SIGINT', [false]])
  })
})
