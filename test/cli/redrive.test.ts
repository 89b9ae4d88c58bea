import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { redrive } from '../../cli/commands/redrive.js'
import { CommandError, type Options } from '../../cli/io.js'
import { processingFailedLine } from '../../transform/refused-line.js'
import { askSql } from '../delivery/desk.js'
import { ARRIVAL, STREAM_ARN, streamsRecord } from '../factories.js'
import { type FirehoseServer, startFirehoseServer } from '../firehose-server.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { fileOf, linesOf, makeFolder, run } from './command-line.js'

const change = (order: number) =>
  JSON.stringify(
    streamsRecord({
      eventID: `event-${order}`,
      Keys: { order_id: { S: `ORD${order}` } },
      NewImage: { order_id: { S: `ORD${order}` } },
    }),
  )

const failed = (data: string) =>
  processingFailedLine(
    {
      data: Buffer.from(data),
      arrival: ARRIVAL,
      attempts: 1,
      code: 'Lambda.ProcessingFailedStatus',
      message: 'ProcessingFailed status set for record',
      lambdaArn: 'arn',
    },
    ARRIVAL,
  )

/** Runs the command itself, with the options that the command line would hand over. */
async function runRedrive(args: readonly string[], options: Options) {
  let [out, err] = ['', '']
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    stdin: Readable.from([]),
    columns: undefined,
    errIsTerminal: false,
    colour: false,
  }
  const exit = await redrive.run(args, { format: 'table', archive: './archive', ...options }, io)
  return { exit, out, err }
}

const CONFIGURATION = (since: string) =>
  fileOf('itemtrail.config.json', JSON.stringify({ tables: { Orders: { since, keys: ['order_id'] } } }))

describe('itemtrail redrive on a desk', () => {
  /** An archive that refused three changes because of a wrong first day, and a line that is none. */
  const refusedArchive = async () => {
    const root = join(makeFolder(), 'archive')
    const records = [change(1), change(2), change(3), '{"tableName":"Orders"}']
    const argv = ['ingest', '-', '--archive', root, '--config', CONFIGURATION('2027-01-01')]
    expect((await run(argv, { stdin: linesOf(records) })).exit).toBe(1)
    return root
  }

  it('lists what was refused and why, and sends nothing by itself', async () => {
    const archive = await refusedArchive()
    const { exit, out, err } = await runRedrive([], { archive, config: CONFIGURATION('2027-01-01') })
    expect(out).toContain("before the archive's first day 2027-01-01")
    expect(out).toContain('record is not a change')
    expect(err).toContain('4 × the transform still refuses')
    expect(exit).toBe(1)
    expect(readdirSync(archive)).not.toContain('.redriven.ndjson')
  })

  it('sends what passes now, keeps the rest, and does nothing the second time', async () => {
    const archive = await refusedArchive()
    const config = CONFIGURATION('2026-01-01')
    const before = (await run(['status', '--archive', archive])).out
    const first = await runRedrive([], { archive, config, send: true })
    expect(first.out).toContain('3 sent again\n')
    expect(first.exit).toBe(1)
    expect(before).toContain('refused')
    expect(await askSql(archive, 'select count(*) as rows from orders')).toEqual([{ rows: 3n }])
    const second = await runRedrive([], { archive, config, send: true, format: 'json' })
    expect(JSON.parse(second.out)).toMatchObject({
      changes: { ready: 0, refused: 1 },
      redriven_before: 3,
      sent: 0,
      refused: [{ table: 'Orders', records: 1, changes: 1, ready: 0 }],
    })
    expect(await askSql(archive, 'select count(*) as rows from orders')).toEqual([{ rows: 3n }])
    // what was sent again is no longer a finding of status
    const after = await run(['status', '--archive', archive])
    expect([after.exit, after.out]).toEqual([1, expect.stringContaining('1 refused, kept under')])
    expect(after.err).toBe('3 refused before, and sent again by redrive since: not counted\n')
  })

  it('ends with 0 where nothing is refused, and where everything was sent', async () => {
    const archive = join(makeFolder(), 'archive')
    mkdirSync(join(archive, 'refused/processing-failed/Orders'), { recursive: true })
    expect(await runRedrive([], { archive })).toMatchObject({
      exit: 0,
      out: expect.stringContaining('nothing is refused'),
    })
    writeFileSync(join(archive, 'refused/processing-failed/Orders/a'), failed(`${change(1)}\n${change(2)}`))
    expect((await runRedrive([], { archive })).exit).toBe(1)
    expect((await runRedrive([], { archive, send: true })).exit).toBe(0)
    expect((await runRedrive([], { archive })).exit).toBe(0)
  })

  it('ends with 3 where something cannot be read', async () => {
    const archive = join(makeFolder(), 'archive')
    mkdirSync(join(archive, 'refused/processing-failed/Orders'), { recursive: true })
    writeFileSync(join(archive, 'refused/processing-failed/Orders/a'), 'broken\n')
    expect(await runRedrive([], { archive })).toMatchObject({ exit: 3, out: expect.stringContaining('unreadable') })
    await expect(runRedrive([], { archive: join(archive, 'nowhere') })).rejects.toMatchObject({ exit: 3 })
  })

  it.each<[readonly string[], Options]>([
    [[], { prefix: 'x/' }],
    [[], { deliveryStream: 'x' }],
    [['Orders'], { bucket: 'b', send: true }],
    [[], { bucket: 'b', send: true, deliveryStream: 'x' }],
    [[], { send: true, all: true }],
    [[], { format: 'xml' }],
  ])('refuses arguments that make no sense: %j %j', async (args, options) => {
    await expect(runRedrive(args, options)).rejects.toMatchObject({ name: 'CommandError', exit: 2 })
  })

  it('knows a slip in the name of a table', async () => {
    const archive = makeFolder()
    const config = CONFIGURATION('2026-01-01')
    await expect(runRedrive(['Order'], { archive, config })).rejects.toMatchObject({
      exit: 2,
      hint: 'did you mean Orders?',
    })
    expect((await runRedrive(['Orders'], { archive, config })).exit).toBe(0)
  })
})

describe('itemtrail redrive on AWS', () => {
  let s3: S3Server
  let firehose: FirehoseServer
  let ledger: string
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
    Object.assign(firehose.stream('replay'), {
      accepted: [],
      calls: [],
      fault: () => ({ kind: 'none' }),
      description: { status: 'ACTIVE', type: 'DirectPut', prefix: 'data/Orders/event_date=!{x}/' },
    })
    ledger = join(makeFolder(), 'ledger.ndjson')
  })
  afterEach(() => vi.unstubAllEnvs())

  const keep = (key: string, text: string) => s3.add({ key, body: Buffer.from(text) })
  const send = (options: Options = {}) =>
    runRedrive(['Orders'], { bucket: 'refused', ledger, send: true, deliveryStream: 'replay', ...options })
  const accepted = () => firehose.stream('replay').accepted.map(String)

  it('reads every page of both prefixes and sends each change singly', async () => {
    for (let i = 0; i < 5; i++)
      keep(`refused/processing-failed/Orders/${i}`, failed(`${change(2 * i)}\n${change(2 * i + 1)}`))
    const payload = `{"Records":[${change(10)}]}`
    keep('aws/lambda/m/shard/2026/11/22/x', JSON.stringify({ DDBStreamBatchInfo: { streamArn: STREAM_ARN }, payload }))
    const { exit, out } = await send()
    expect(exit).toBe(0)
    expect(out).toContain('11 sent again')
    expect(accepted().sort()).toEqual(Array.from({ length: 11 }, (_, i) => change(i)).sort())
    expect((await send()).out).toContain('nothing is refused')
    expect(accepted()).toHaveLength(11)
    expect(s3.requests.every(({ operation }) => operation === 'GetObject' || operation === 'ListObjectsV2')).toBe(true)
  })

  it('tells rows that need their original, and what is too large', async () => {
    const rawData = Buffer.from('{"event_id":"x"}').toString('base64')
    keep(
      'refused/format-conversion-failed/Orders/a',
      JSON.stringify({ lastErrorCode: 'c', lastErrorMessage: 'm', rawData }),
    )
    const value = 'x'.repeat(1_000_001)
    const large = JSON.stringify(streamsRecord({ NewImage: { order_id: { S: 'ORD12345' }, value: { S: value } } }))
    keep('refused/oversize/Orders/b', failed(large))
    const { exit, err } = await send()
    expect(exit).toBe(1)
    expect(err).toContain('1 × too large to pass')
    expect(err).toContain('1 × rows that were not converted')
    expect(accepted()).toEqual([])
    expect(existsSync(ledger)).toBe(false)
  })

  it('tries entries that Firehose did not take once more, and remembers each', async () => {
    keep('refused/processing-failed/Orders/a', [1, 2, 3].map(order => failed(change(order))).join(''))
    firehose.stream('replay').fault = call => ({ kind: 'part', fails: entry => call === 0 && entry === 1 })
    expect((await send()).exit).toBe(0)
    expect(accepted().sort()).toEqual([1, 2, 3].map(change))
    expect(readFileSync(ledger, 'utf8').trim().split('\n')).toHaveLength(3)
  })

  it('does not send to a stream that delivers another table, reads Kinesis or is not ready', async () => {
    keep('refused/processing-failed/Orders/a', failed(change(1)))
    const { description } = firehose.stream('replay')
    for (const wrong of [{ prefix: 'data/Customers/' }, { type: 'KinesisStreamAsSource' }, { status: 'CREATING' }]) {
      firehose.stream('replay').description = { ...description, ...wrong }
      await expect(send()).rejects.toMatchObject({ name: 'CommandError', exit: 2 })
    }
    await expect(send({ deliveryStream: 'nowhere' })).rejects.toMatchObject({ exit: 3 })
    expect(accepted()).toEqual([])
  })

  it('sends what the transform here refuses with --all', async () => {
    keep('refused/processing-failed/Orders/a', failed('{"dynamodb":{}}'))
    expect((await send()).exit).toBe(1)
    expect((await send({ all: true })).exit).toBe(0)
    expect(accepted()).toEqual(['{"dynamodb":{}}'])
  })

  it('judges records of a table with erasable values without a key, which the function has that they are sent to', async () => {
    keep('refused/processing-failed/Orders/a', failed(change(1)) + failed('{"dynamodb":{}}'))
    const config = join(makeFolder(), 'config.json')
    const erasable = [{ subject: 'buyer', attributes: ['name'] }]
    const tables = { Orders: { keys: ['order_id'], erasable } }
    writeFileSync(config, JSON.stringify({ erasure: { keys: 'of the stack' }, tables }))
    const { out, err } = await send({ config })
    expect(accepted()).toEqual([change(1)])
    expect(err).toContain('1 × the transform still refuses')
    expect(out).not.toContain('key store')
  })

  it('ends with 3 where the bucket cannot be read', async () => {
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    const listing = runRedrive([], { bucket: 'refused', ledger })
    await expect(listing).rejects.toThrow(CommandError)
    await expect(listing).rejects.toMatchObject({ exit: 3, message: expect.stringContaining('AccessDenied') })
  })
})
