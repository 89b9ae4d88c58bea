import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type BaselineOrigin, type FoundItem, takeBaseline } from '../../capture/baseline.js'
import { readFact } from '../../config/fact-file.js'
import { FirehoseTarget, type FirehoseTargetOptions } from '../../delivery/baseline-to-firehose.js'
import { Bucket } from '../../store/s3.js'
import { tableConfiguration } from '../factories.js'
import { type FirehoseServer, type StreamState, startFirehoseServer } from '../firehose-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { EXPORT_ARN } from '../table-export.js'
import { rowsOfRecord, temporaryFolder, writeRows } from './desk.js'

const ORIGIN: BaselineOrigin = {
  method: 'export',
  source: EXPORT_ARN,
  fromUs: Date.UTC(2026, 10, 22, 9, 59, 30) * 1000,
}
const PREFIX = 'data/Orders/event_date=2026-11-22/'

const item = (order: number, more: object = {}): FoundItem => ({
  text: JSON.stringify({ order_id: { S: `ORD${order}` }, ...more }),
  where: `line ${order}`,
})

async function* itemsOf(items: readonly FoundItem[]): AsyncGenerator<FoundItem> {
  yield* items
}

describe('a baseline through Firehose', () => {
  let s3: S3Server
  let firehose: FirehoseServer
  let stream: StreamState
  beforeAll(async () => {
    s3 = await startS3Server()
    firehose = await startFirehoseServer()
  })
  afterAll(() => Promise.all([s3.stop(), firehose.stop()]))
  beforeEach(() => {
    s3.versions.length = 0
    stream = Object.assign(firehose.stream('replay'), { accepted: [], calls: [], fault: () => ({ kind: 'none' }) })
  })

  /** What Firehose does with records that it accepted, by the real transform: an object in the bucket. */
  async function deliver(
    records: readonly Buffer[],
    change: (rows: ReturnType<typeof rowsOfRecord>) => typeof rows = rows => rows,
  ) {
    const folder = temporaryFolder()
    await writeRows(
      folder,
      records.flatMap(record => change(rowsOfRecord(record))),
    )
    for (const name of readdirSync(join(folder, PREFIX)))
      s3.add({ key: `${PREFIX}${name}`, body: readFileSync(join(folder, PREFIX, name)) })
  }

  async function take(items: readonly FoundItem[], more: Partial<FirehoseTargetOptions> = {}, origin = ORIGIN) {
    const table = tableConfiguration()
    const target = await FirehoseTarget.open({
      firehose: new FirehoseClient({ ...LOOPBACK_CONNECTION, endpoint: firehose.endpoint, maxAttempts: 1 }),
      deliveryStream: 'replay',
      bucket: new Bucket(
        new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, forcePathStyle: true }),
        'archive',
      ),
      table,
      origin,
      ...more,
    })
    try {
      return await takeBaseline(itemsOf(items), origin, table, target)
    } finally {
      target.close()
    }
  }

  const facts = () => s3.versions.filter(({ key }) => key.startsWith('facts/'))

  it('packs many items into one record and keeps its fact once every row is seen in the bucket', async () => {
    const items = Array.from({ length: 1000 }, (_, i) => item(i))
    const looks: number[] = []
    const { fact, key } = await take(items, {
      onArrived: arrived => looks.push(arrived),
      // half of it first, and some of that once more
      sleep: async () => deliver(looks.length === 1 ? stream.accepted.slice(0, 1) : stream.accepted),
    })
    expect(stream.accepted.length).toBe(1)
    expect(looks).toEqual([0, 1000])
    expect(fact).toMatchObject({ items: 1000, source: EXPORT_ARN })
    const [kept] = facts()
    expect(kept?.key).toBe(key)
    expect(readFact(String(kept?.body), 'fact')).toEqual(fact)
    const put = s3.requests.find(({ operation }) => operation === 'PutObject')
    expect(put?.headers).toMatchObject({ 'if-none-match': '*' })
  })

  it('counts rows that arrive in several objects, twice, or were there from a run that was interrupted', async () => {
    const large = 'x'.repeat(100_000)
    const items = [1, 2, 3, 4, 5].map(order => item(order, { large: { S: large } }))
    const looks: number[] = []
    const { fact } = await take(items, {
      onArrived: arrived => looks.push(arrived),
      sleep: async () => {
        await deliver(stream.accepted.slice(0, looks.length))
      },
    })
    expect(stream.accepted).toHaveLength(3)
    expect(looks).toEqual([0, 2, 4, 5])
    expect(fact?.items).toBe(5)
    const again: number[] = []
    expect((await take(items, { onArrived: arrived => again.push(arrived) })).fact).toBeDefined()
    expect(again).toEqual([5])
  })

  it('has no fact where rows do not arrive, or arrive with another state', async () => {
    const patience = { patienceMs: 60_000, sleep: async () => {} }
    await expect(take([item(1), item(2)], patience)).rejects.toThrow('0 of 2 rows have arrived within 1 minutes')
    const altered = async () =>
      deliver(stream.accepted.slice(-1), rows => rows.map(row => ({ ...row, new_hash: '0'.repeat(64) })))
    await expect(take([item(1), item(2)], { ...patience, sleep: altered })).rejects.toThrow('2 of 2 rows have arrived')
    expect(facts()).toEqual([])
  })

  it('sends what will be refused alone, and does not wait for it', async () => {
    const { fact, refused, examples } = await take([item(1), { text: '{"other":{"S":"x"}}', where: 'line 2' }, item(3)])
    expect(fact).toBeUndefined()
    expect([refused, examples]).toEqual([
      1,
      [{ item: 'line 2', reason: 'Item has no "order_id", which the configuration names as key' }],
    ])
    expect(stream.accepted.map(record => String(record).split('\n').length).sort()).toEqual([1, 2])
  })

  it('does not send what is larger than Firehose takes, and is nothing then', async () => {
    const { fact, examples } = await take([item(1, { x: { S: '\u0001'.repeat(200_000) } })])
    expect(fact).toBeUndefined()
    expect(examples).toEqual([
      { item: '{"order_id":{"S":"ORD1"}}', reason: expect.stringMatching(/^document of 1200\d+ bytes is larger/) },
    ])
    expect(stream.accepted).toEqual([])
  })

  it('tries what Firehose did not take again, and gives up after some time', async () => {
    stream.fault = call =>
      call < 2 ? { kind: 'error', status: 500, code: 'ServiceUnavailableException' } : { kind: 'none' }
    const time = { remaining: () => Number.POSITIVE_INFINITY, sleep: async () => {} }
    const { fact } = await take([item(1)], { time, sleep: () => deliver(stream.accepted) })
    expect(fact).toBeDefined()
    stream.fault = () => ({ kind: 'error', status: 400, code: 'ResourceNotFoundException' })
    await expect(take([item(1)], { time })).rejects.toThrow('delivery stream "replay" does not take records')
  })

  it('looks only at new objects where nothing of the source can be there yet', async () => {
    await take([item(1)], { sleep: () => deliver(stream.accepted) })
    const scan: BaselineOrigin = {
      ...ORIGIN,
      method: 'scan',
      source: 'arn:aws:dynamodb:us-east-1:1:table/Orders/scan/x',
    }
    s3.requests.length = 0
    await take([item(1)], { sleep: () => deliver(stream.accepted.slice(-1)) }, scan)
    expect(s3.requests.filter(({ operation }) => operation === 'GetObject')).toHaveLength(1)
  })
})
