import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { baselineDocument } from '../../capture/baseline.js'
import { readFact } from '../../config/fact-file.js'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import { type BaselineFact, StatesDigest } from '../../transform/fact.js'
import { configurationKey } from '../../transform/layout.js'
import { askSql, rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { type FirehoseServer, startFirehoseServer } from '../firehose-server.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { EXPORT_ARN, EXPORT_TIME, incrementalSummary, type Line, writeExport } from '../table-export.js'
import { fileOf, run } from './command-line.js'
import { expectContract } from './contract.js'

const CONFIG = (more: object = {}) =>
  fileOf('config.json', JSON.stringify({ tables: { Orders: { keys: ['order_id'], ...more } } }))

const item = (order: number, more: object = {}): Line => ({ Item: { order_id: { S: `ORD${order}` }, ...more } })

async function baselineOf(files: readonly (readonly Line[])[], more: readonly string[] = [], config = CONFIG()) {
  const root = join(temporaryFolder(), 'archive')
  const folder = writeExport(temporaryFolder(), { files })
  const argv = ['baseline', 'Orders', '--export', folder, '--archive', root, '--config', config, ...more]
  return { root, folder, argv, ending: await run(argv) }
}

const factsOf = (root: string) => readFacts(new DiskArchive(root), 'Orders')

describe('itemtrail baseline --export', () => {
  it('adds every item as a row just before the export, and then says that they are all there', async () => {
    const { root, ending } = await baselineOf([[item(1), item(2, { n: { N: '1.50' } })], [], [item(3)]])
    expect(ending.exit).toBe(0)
    expect(ending.out).toContain(`complete  3 items of Orders from ${EXPORT_ARN}`)
    const rows = await askSql(
      root,
      'select item_key, event_name, event_date, event_time_us, source, new_image, new_hash from orders order by item_key',
    )
    expect(rows.map(row => row.item_key)).toEqual([1, 2, 3].map(order => `{"order_id":{"S":"ORD${order}"}}`))
    expect(rows[1]).toMatchObject({
      event_name: 'BASELINE',
      event_date: '2026-11-22',
      event_time_us: BigInt(Date.UTC(2026, 10, 22, 9, 59, 30)) * 1000n - 1n,
      source: EXPORT_ARN,
      new_image: '{"n":{"N":"1.5"},"order_id":{"S":"ORD2"}}',
    })
    const digest = new StatesDigest()
    for (const row of rows) digest.add(String(row.item_key), String(row.new_hash))
    const [fact] = (await factsOf(root)) as [BaselineFact]
    expect(fact).toMatchObject({
      kind: 'baseline',
      method: 'export',
      source: EXPORT_ARN,
      from: '2026-11-22T09:59:30.250000Z',
      to: '2026-11-22T09:59:30.250000Z',
      rowTime: '2026-11-22T09:59:29.999999Z',
      items: 3,
      digest: digest.hex(),
    })
  })

  it('keeps every attribute exact, __proto__ and the order of characters among them', async () => {
    const image =
      '{"__proto__":{"M":{"__proto__":{"B":"AQI="}}},"big":{"N":"12345678901234567890123456789012345678"},' +
      '"order_id":{"S":"\u{1f600}\\u0000\u2028"},"zero":{"N":"0"},"é":{"NULL":true}}'
    const { root, ending } = await baselineOf([[`{ "Item" : ${image} }`]])
    expect(ending.exit).toBe(0)
    const rows = await askSql(root, 'select new_image from orders')
    expect(rows).toEqual([{ new_image: image }])
  })

  it('of an empty table is complete, too', async () => {
    const { root, ending } = await baselineOf([[]])
    expect(ending.exit).toBe(0)
    expect(await factsOf(root)).toMatchObject([{ kind: 'baseline', items: 0, digest: '0'.repeat(64) }])
  })

  it('does nothing where the same export is in the archive already', async () => {
    const { root, argv } = await baselineOf([[item(1)]])
    const again = await run(argv)
    expect(again).toMatchObject({ exit: 0, out: expect.stringContaining('is complete already') })
    expect(await askSql(root, 'select count(*) as rows from orders')).toEqual([{ rows: 1n }])
  })

  it('is nothing where an item is refused, says which, and keeps it', async () => {
    const { root, ending } = await baselineOf([
      [item(1), { Item: { other: { S: 'x' } } }, item(2, { n: { N: 'NaN' } })],
    ])
    expect(ending.exit).toBe(1)
    expect(ending.out).toContain('incomplete  3 items of Orders')
    expect(ending.out).toContain(
      'data/part0.json.gz line 2  Item has no "order_id", which the configuration names as key',
    )
    expect(ending.out).toContain('data/part0.json.gz line 3  Item.n has N "NaN", which is no number that DynamoDB has')
    expect(await factsOf(root)).toEqual([])
    const status = await run(['status', '--archive', root, '--config', CONFIG()])
    expect(status.out).toContain('Item has no "order_id"')
  })

  it('is nothing where the export turns out to be damaged while it is read', async () => {
    const { root, ending } = await baselineOf([[item(1), '{"Item":[]}']])
    expect(ending).toMatchObject({ exit: 3, out: '' })
    expect(ending.err).toContain('data/part0.json.gz line 2 is "{\\"Item\\":[]}", expected {"Item":{...}}')
    expect(await factsOf(root)).toEqual([])
  })

  it('goes on after an interrupted run: rows without a fact do no harm', async () => {
    const { root, argv } = await baselineOf([[item(1)], [item(2)]])
    // what a run leaves that dies before its end: rows, and no fact
    rmSync(join(root, 'facts'), { recursive: true })
    expect((await run(argv)).exit).toBe(0)
    expect(
      await askSql(root, 'select count(*) as rows, count(distinct event_id) as changes from orders_deliveries'),
    ).toEqual([{ rows: 4n, changes: 2n }])
    expect(await factsOf(root)).toHaveLength(1)
  })

  it('tells programs the same, as documented', async () => {
    const { ending, argv } = await baselineOf([[item(1)]], ['--format', 'json'])
    const again = await run(argv)
    const incomplete = await baselineOf([[item(1), { Item: {} }]], ['--format', 'ndjson'])
    const answers = [ending, again, incomplete.ending].map(({ out }) => JSON.parse(out) as Record<string, unknown>)
    expectContract('baseline', answers)
    expect(answers[0]).toMatchObject({ table: 'Orders', complete: true, items: 1, refused: 0 })
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toMatchObject({ complete: false, items: 2, refused: 1, fact: null })
  })
})

describe('itemtrail baseline refuses before it starts', () => {
  const folder = () => writeExport(temporaryFolder(), { files: [[item(1)]] })
  const attempt = async (argv: readonly string[], config = CONFIG()) => {
    const root = join(temporaryFolder(), 'archive')
    const ending = await run(['baseline', ...argv, '--archive', root, '--config', config])
    expect(existsSync(join(root, 'data'))).toBe(false)
    return ending
  }

  it('an export of another table, and an incremental one', async () => {
    const other = await attempt(['Others', '--export', folder()])
    expect(other).toMatchObject({
      exit: 2,
      err: expect.stringContaining('is an export of table "Orders", not of "Others"'),
    })
    const incremental = writeExport(temporaryFolder(), { files: [[]], summary: incrementalSummary() })
    const ending = await attempt(['Orders', '--export', incremental])
    expect(ending).toMatchObject({ exit: 2, err: expect.stringContaining('is an incremental export') })
  })

  it('a table whose keys nobody knows', async () => {
    const ending = await attempt(['Orders', '--export', folder()], fileOf('c.json', '{"tables":{}}'))
    expect(ending.exit).toBe(2)
    expect(ending.err).toContain('keys of table "Orders" are not known')
    expect(ending.err).toContain('{"tables":{"Orders":{"keys":["..."]}}}')
  })

  it('a baseline before the first day of the archive', async () => {
    const ending = await attempt(['Orders', '--export', folder()], CONFIG({ since: '2026-11-23' }))
    expect(ending.exit).toBe(2)
    expect(ending.err).toContain("baseline of Orders would be of 2026-11-22, before the archive's first day 2026-11-23")
    expect(ending.err).toContain('"since": "2026-11-22" lets them in')
  })

  it('an altered export', async () => {
    const path = folder()
    writeFileSync(join(path, 'manifest-summary.json'), '{}')
    expect(await attempt(['Orders', '--export', path])).toMatchObject({
      exit: 3,
      err: expect.stringContaining('manifest-summary.json is not what its checksum says'),
    })
  })

  it('an archive with a fact that cannot be read', async () => {
    const { root, argv } = await baselineOf([[item(1)]])
    writeFileSync(
      join(root, 'facts/Orders/20261122T100000.000000Z-baseline.json'),
      '{"version":"fact/v2","kind":"gap"}',
    )
    expect(await run(argv)).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('version is "fact/v2"') })
  })

  it('no source, two sources, and flags without their source', async () => {
    for (const argv of [['Orders'], ['Orders', '--scan', '--export', folder()]])
      expect((await attempt(argv)).err).toContain('a baseline comes from one source, expected --export DIR or --scan')
    const stray = await attempt(['Orders', '--export', folder(), '--segments', '2'])
    expect(stray).toMatchObject({ exit: 2, err: expect.stringContaining('--segments is of a live table') })
    const many = await attempt([
      'Orders',
      '--scan',
      '--segments',
      '0',
      '--endpoint',
      'http://127.0.0.1:1',
      '--region',
      'x',
    ])
    expect(many.exit).not.toBe(0)
  })
})

describe('itemtrail baseline on AWS', () => {
  let s3: S3Server
  let firehose: FirehoseServer
  beforeAll(async () => {
    s3 = await startS3Server()
    firehose = await startFirehoseServer()
  })
  afterAll(() => Promise.all([s3.stop(), firehose.stop()]))
  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.endpoint)
    vi.stubEnv('AWS_ENDPOINT_URL_FIREHOSE', firehose.endpoint)
    vi.stubEnv('AWS_REGION', 'us-east-1')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'loopback')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'loopback')
    s3.versions.length = 0
    s3.fault = () => undefined
    firehose.stream('replay').accepted.length = 0
    s3.add({ key: configurationKey(tableConfiguration()), body: Buffer.from('{}') })
  })
  afterEach(() => vi.unstubAllEnvs())

  const origin = { method: 'export', source: EXPORT_ARN, fromUs: Date.parse(EXPORT_TIME) * 1000 } as const
  const items = ['1', '2'].map(order => `{"order_id":{"S":"ORD${order}"}}`)

  const attempt = (...more: readonly string[]) => {
    const folder = writeExport(temporaryFolder(), { files: [items.map(text => `{"Item":${text}}`)] })
    const target = ['--delivery-stream', 'replay', '--bucket', 'archive']
    return run(['baseline', 'Orders', '--export', folder, '--config', CONFIG(), ...(more.length > 0 ? more : target)])
  }

  /** The rows as Firehose delivers them. */
  const arrive = async () => {
    const folder = temporaryFolder()
    await writeRows(
      folder,
      items.flatMap(text => rowsOfRecord(baselineDocument(text, 'Orders', origin))),
    )
    const prefix = 'data/Orders/event_date=2026-11-22/'
    for (const name of readdirSync(join(folder, prefix)))
      s3.add({ key: `${prefix}${name}`, body: readFileSync(join(folder, prefix, name)) })
  }

  it('sends packed documents, sees their rows in the bucket, and keeps the fact there once', async () => {
    await arrive()
    const { exit, out } = await attempt()
    expect([exit, out]).toEqual([0, expect.stringContaining('complete  2 items of Orders')])
    expect(firehose.stream('replay').accepted.map(String)).toEqual([
      items.map(text => baselineDocument(text, 'Orders', origin)).join('\n'),
    ])
    const facts = s3.versions.filter(({ key }) => key.startsWith('facts/Orders/'))
    expect(facts.map(({ body }) => readFact(String(body), 'fact'))).toMatchObject([{ kind: 'baseline', items: 2 }])
    const again = await attempt()
    expect(again).toMatchObject({ exit: 0, out: expect.stringContaining('is complete already') })
    expect(firehose.stream('replay').accepted).toHaveLength(1)
  })

  it('is refused of a table with erasable values without the keys of the stack, of which its digest is', async () => {
    await arrive()
    const config = join(temporaryFolder(), 'config.json')
    const orders = { keys: ['order_id'], erasable: [{ subject: 'buyer', attributes: ['name'] }] }
    writeFileSync(config, JSON.stringify({ erasure: { keys: 'of the stack' }, tables: { Orders: orders } }))
    const target = ['--delivery-stream', 'replay', '--bucket', 'archive']
    const { exit, err } = await attempt(...target, '--config', config)
    expect([exit, err]).toEqual([2, expect.stringContaining('--keys-of STACK names it')])
    expect(firehose.stream('replay').accepted).toEqual([])
  })

  it('sends nothing without the deployed configuration, to another stream, or with half of the flags', async () => {
    firehose.stream('others').description = { status: 'ACTIVE', type: 'DirectPut', prefix: 'data/Others/' }
    const others = await attempt('--delivery-stream', 'others', '--bucket', 'archive')
    expect(others).toMatchObject({ exit: 2, err: expect.stringContaining('delivers under "data/Others/"') })
    const half = await attempt('--bucket', 'archive')
    expect(half).toMatchObject({ exit: 2, err: expect.stringContaining('--delivery-stream and --bucket together') })
    s3.versions.length = 0
    const undeployed = await attempt()
    expect(undeployed).toMatchObject({ exit: 2, err: expect.stringContaining('here is not one that is deployed') })
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    const denied = await attempt()
    expect(denied).toMatchObject({
      exit: 3,
      err: expect.stringContaining('bucket "archive" cannot be read: AccessDenied'),
    })
    expect(firehose.stream('replay').accepted).toEqual([])
  })
})
