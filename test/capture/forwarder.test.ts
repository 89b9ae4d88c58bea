import { FirehoseClient } from '@aws-sdk/client-firehose'
import { S3Client } from '@aws-sdk/client-s3'
import type { DynamoDBBatchResponse, DynamoDBRecord } from 'aws-lambda'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createForwarder, type ForwarderOptions } from '../../capture/forwarder.js'
import { PACK_BYTES } from '../../capture/packing.js'
import { type Counts, writeMetrics } from '../../capture/write-metrics.js'
import { readEnvironment } from '../../functions/environment.js'
import { type RefusedEntry, readRefused } from '../../store/refused-reader.js'
import { transformRecord } from '../../transform/transform.js'
import { ARRIVAL, type StreamsFields, streamsRecord, tableConfiguration } from '../factories.js'
import { type Fault, type FirehoseServer, type StreamState, startFirehoseServer } from '../firehose-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { MemoryObjects } from '../memory-objects.js'
import { type S3Server, startS3Server } from '../s3-server.js'

// megabytes through loopback take their time on a busy machine
vi.setConfig({ testTimeout: 30_000 })

let firehose: FirehoseServer
let s3: S3Server
let stream: StreamState

beforeAll(async () => {
  firehose = await startFirehoseServer()
  s3 = await startS3Server()
})
afterAll(() => Promise.all([firehose.stop(), s3.stop()]))
beforeEach(() => {
  stream = firehose.stream('itemtrail-orders')
  stream.accepted.length = 0
  stream.calls.length = 0
  stream.fault = () => ({ kind: 'none' })
  s3.versions.length = 0
  s3.fault = () => undefined
})

const record = (sequence: number, fields: StreamsFields = {}) =>
  streamsRecord({ SequenceNumber: String(sequence), eventID: `event${sequence}`, ...fields })

const records = (count: number, fields?: StreamsFields) =>
  Array.from({ length: count }, (_, i) => record(i + 1, fields))

/** A change whose JSON has about as many bytes. */
const ofBytes = (sequence: number, bytes: number) =>
  record(sequence, { NewImage: { order_id: { S: 'ORD12345' }, fill: { S: 'x'.repeat(bytes) } } })

const textsOf = (all: readonly DynamoDBRecord[]) => all.map(one => JSON.stringify(one))
const acceptedTexts = () => stream.accepted.flatMap(data => data.toString().split('\n'))
const throttled: Fault = { kind: 'error', status: 500, code: 'ServiceUnavailableException' }

interface Forwarded {
  readonly answer: DynamoDBBatchResponse
  readonly counts: Counts
  readonly waits: readonly number[]
  readonly log: readonly string[]
}

/** One invocation; waits between tries pass on paper, calls in real time. */
async function forward(
  all: readonly unknown[],
  options: Partial<ForwarderOptions> & { readonly remaining?: () => number } = {},
): Promise<Forwarded> {
  const { remaining = () => 60_000, ...more } = options
  const waits: number[] = []
  const log: string[] = []
  let counts: Counts = {}
  const forwarder = createForwarder({
    table: 'Orders',
    deliveryStream: 'itemtrail-orders',
    refusedBucket: 'refused',
    firehose: new FirehoseClient({ ...LOOPBACK_CONNECTION, endpoint: firehose.endpoint, maxAttempts: 1 }),
    s3: new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 }),
    writeMetrics: counted => {
      counts = counted
    },
    log: (message, details) => log.push(JSON.stringify({ message, details })),
    time: { sleep: async ms => waits.push(ms), random: () => 0.5 },
    ...more,
  })
  const context = { getRemainingTimeInMillis: remaining, invokedFunctionArn: 'arn:forwarder' }
  const answer = await forwarder({ Records: all as DynamoDBRecord[] }, context)
  return { answer, counts, waits, log }
}

const ALL_DONE: DynamoDBBatchResponse = { batchItemFailures: [] }
const goOnFrom = (sequence: number) => ({ batchItemFailures: [{ itemIdentifier: String(sequence) }] })

describe('the forwarder', () => {
  it('sends a batch as one Firehose record in one call', async () => {
    const all = records(100)
    const { answer, counts } = await forward(all)
    expect(answer).toEqual(ALL_DONE)
    expect(stream.calls).toEqual([1])
    expect(acceptedTexts()).toEqual(textsOf(all))
    expect(counts).toEqual({
      RecordsReceived: 100,
      RecordsAccepted: 100,
      RecordsOversize: 0,
      RecordsLeft: 0,
      Packs: 1,
      PacksRetried: 0,
      PackBytes: stream.accepted[0]?.length,
    })
  })

  it('calls nobody for an empty batch', async () => {
    expect((await forward([])).answer).toEqual(ALL_DONE)
    expect(stream.calls).toEqual([])
  })

  it('keeps within 500 records a call', async () => {
    // a pack each: none has a time
    const all = records(1201, { ApproximateCreationDateTime: undefined })
    expect((await forward(all)).answer).toEqual(ALL_DONE)
    expect(stream.calls).toEqual([500, 500, 201])
    expect(acceptedTexts()).toEqual(textsOf(all))
  })

  it('keeps within 4 MiB a call, base64 counted', async () => {
    const all = Array.from({ length: 9 }, (_, i) => ofBytes(i + 1, 990_000))
    expect((await forward(all)).answer).toEqual(ALL_DONE)
    expect(stream.calls).toEqual([3, 3, 3])
    expect(acceptedTexts()).toEqual(textsOf(all))
  })

  it('fills packs of a full event of Lambda to the limit', async () => {
    const all = Array.from({ length: 3000 }, (_, i) => ofBytes(i + 1, 1_500))
    expect((await forward(all)).answer).toEqual(ALL_DONE)
    expect(acceptedTexts()).toEqual(textsOf(all))
    for (const data of stream.accepted.slice(0, -1)) expect(data.length).toBeGreaterThan(PACK_BYTES - 2_200)
  })
})

describe('of what Firehose did not accept', () => {
  const alone = (count: number) => records(count, { ApproximateCreationDateTime: undefined })

  it('only the failed entries are sent again', async () => {
    stream.fault = call => (call === 0 ? { kind: 'part', fails: entry => entry % 3 === 0 } : { kind: 'none' })
    const { answer, counts } = await forward(alone(10))
    expect(answer).toEqual(ALL_DONE)
    expect(stream.calls).toEqual([10, 4])
    expect(acceptedTexts().sort()).toEqual(textsOf(alone(10)).sort())
    expect(counts.PacksRetried).toBe(4)
  })

  it('the first in the stream is reported, not the first that failed', async () => {
    const stuck = new Set([7, 4, 9])
    let pending = Array.from({ length: 10 }, (_, i) => i)
    stream.fault = () => {
      const entries = pending
      pending = pending.filter(entry => stuck.has(entry))
      return { kind: 'part', fails: entry => stuck.has(entries[entry] as number) }
    }
    const { answer, counts } = await forward(alone(10))
    expect(answer).toEqual(goOnFrom(5))
    expect(counts).toMatchObject({ RecordsAccepted: 7, RecordsLeft: 3 })
  })

  it('a pack of several dates counts by its first record', async () => {
    const day = (sequence: number, back: number) =>
      record(sequence, { ApproximateCreationDateTime: 1_795_341_600 - back * 86_400 })
    // packs [1, 3], [2, 5], [4]; the second fails
    stream.fault = () => ({ kind: 'part', fails: entry => entry === (stream.calls.length === 1 ? 1 : 0) })
    const { answer } = await forward([day(1, 0), day(2, 1), day(3, 0), day(4, 2), day(5, 1)])
    expect(answer).toEqual(goOnFrom(2))
  })

  it('tries become rarer and end, so that Lambda can try elsewhere', async () => {
    stream.fault = () => throttled
    const { answer, waits, counts, log } = await forward(records(3))
    expect(answer).toEqual(goOnFrom(1))
    // half of the longest wait each, as the test's chance has it
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500, 2500])
    expect(stream.calls).toHaveLength(10)
    expect(counts).toMatchObject({ RecordsLeft: 3, PacksRetried: 9, RecordsAccepted: 0 })
    expect(log).toEqual([
      '{"message":"records were not accepted, Lambda will send them again","details":{"records":3,"first":"1","errors":{"ServiceUnavailableException":10}}}',
    ])
  })

  it('a wait may be of any length up to its limit', async () => {
    stream.fault = call => (call < 2 ? throttled : { kind: 'none' })
    const waits: number[] = []
    const chances = [0, 0.999]
    const time = { sleep: async (ms: number) => waits.push(ms), random: () => chances.shift() as number }
    expect((await forward(records(1), { time })).answer).toEqual(ALL_DONE)
    expect(waits).toEqual([0, 199.8])
  })

  it.each([
    '{}',
    'null',
    '',
    '{"FailedPutCount":0,"RequestResponses":null}',
    '{"FailedPutCount":0,"RequestResponses":[{},{"RecordId":null},{"RecordId":"a","ErrorCode":"InternalFailure"}]}',
  ])('everything is reported for the answer %j, which accepts nothing', async text => {
    const firehose = new FirehoseClient({ ...LOOPBACK_CONNECTION, maxAttempts: 1, requestHandler: answering(text) })
    expect((await forward(alone(3), { firehose })).answer).toEqual(goOnFrom(1))
  })

  it('a record without a sequence number fails the invocation, because no answer can name it', async () => {
    stream.fault = () => ({ kind: 'part', fails: () => true })
    await expect(forward([record(1, { SequenceNumber: undefined }), record(2)])).rejects.toThrow('no sequence number')
    await expect(forward([null, record(2)])).rejects.toThrow('record 0 of 2')
  })
})

/** A client's connection that answers every call with 200 and this text. */
function answering(text: string) {
  const handle = async () => ({ response: { statusCode: 200, headers: {}, body: new Blob([text]).stream() } })
  return { handle, updateHttpClientConfig() {}, httpHandlerConfigs: () => ({}) }
}

describe('the deadline', () => {
  /** An invocation's time that really passes. */
  const within = (ms: number) => {
    const end = performance.now() + ms
    return () => end - performance.now()
  }

  it.each<Fault['kind']>(['silence', 'accepted-silence', 'accepted-half'])(
    'is kept when Firehose does not answer: %s',
    async kind => {
      stream.fault = () => ({ kind }) as Fault
      const remaining = within(1_700)
      const { answer, log } = await forward(records(3), { remaining })
      expect(answer).toEqual(goOnFrom(1))
      // a second is left for the answer, and most of the rest was given to the call
      expect(remaining()).toBeGreaterThan(500)
      expect(remaining()).toBeLessThan(1_100)
      expect(log.join()).toContain('TimeoutError')
    },
  )

  it('leaves no time for a wait that would outlast it', async () => {
    stream.fault = () => throttled
    const { answer, waits } = await forward(records(3), { remaining: () => 2_300 })
    expect(answer).toEqual(goOnFrom(1))
    expect(waits).toEqual([50, 100, 200, 400, 800])
  })

  it('reports everything when there is no time to begin', async () => {
    const { answer, counts } = await forward([record(1), record(2)], { remaining: () => 1_400 })
    expect(answer).toEqual(goOnFrom(1))
    expect(stream.calls).toEqual([])
    expect(counts).toMatchObject({ RecordsReceived: 2, RecordsLeft: 2 })
  })

  it('stops between calls when time is up, with what was accepted so far', async () => {
    let calls = 0
    stream.fault = () => {
      calls++
      return { kind: 'none' }
    }
    const all = records(1201, { ApproximateCreationDateTime: undefined })
    const { answer } = await forward(all, { remaining: () => (calls < 2 ? 10_000 : 0) })
    expect(answer).toEqual(goOnFrom(1001))
    expect(stream.calls).toEqual([500, 500])
  })
})

describe('a record too large for Firehose', () => {
  const binary = { order_id: { S: 'ORD12345' }, scan: { B: Buffer.alloc(399_000, 'Jane').toString('base64') } }
  const large = (sequence: number) => record(sequence, { OldImage: binary, NewImage: binary })

  /** What `status` and `redrive` see of the bucket. */
  async function readBack(): Promise<{
    readonly entries: readonly RefusedEntry[]
    readonly damaged: readonly string[]
  }> {
    const archive = new MemoryObjects(s3.versions.map(({ key, body }) => [key, body]))
    const entries: RefusedEntry[] = []
    const damaged: string[] = []
    for await (const { entry } of readRefused(archive, key => damaged.push(key))) entries.push(entry)
    return { entries, damaged }
  }

  it('is kept whole, where and as the reader of refused records expects it', async () => {
    const { answer, counts } = await forward([record(1), large(2), record(3)])
    expect(answer).toEqual(ALL_DONE)
    expect(counts).toMatchObject({ RecordsReceived: 3, RecordsAccepted: 2, RecordsOversize: 1, RecordsLeft: 0 })
    expect(acceptedTexts()).toEqual(textsOf([record(1), record(3)]))
    const { entries, damaged } = await readBack()
    expect(damaged).toEqual([])
    expect(entries.map(({ data, ...entry }) => ({ ...entry, data: data.toString() }))).toEqual([
      {
        type: 'oversize',
        table: 'Orders',
        data: JSON.stringify(large(2)),
        arrival: expect.any(Number),
        code: 'Itemtrail.RecordTooLarge',
        message: `record has ${JSON.stringify(large(2)).length} bytes, Firehose takes at most 1000000`,
      },
    ])
    const [{ data }] = entries as [RefusedEntry]
    expect(transformRecord(data, ARRIVAL, tableConfiguration()).kind).toBe('transformed')
  })

  it('is reported when it could not be kept', async () => {
    s3.fault = () => ({ status: 403, code: 'AccessDenied' })
    const { answer, counts, log } = await forward([record(1), large(2), record(3)])
    expect(answer).toEqual(goOnFrom(2))
    expect(counts).toMatchObject({ RecordsAccepted: 2, RecordsOversize: 0, RecordsLeft: 1 })
    expect(log.join()).toContain('"AccessDenied":10')
  })

  it('is kept once, however often Lambda sends it', async () => {
    for (let i = 0; i < 3; i++) expect((await forward([large(2)])).answer).toEqual(ALL_DONE)
    expect(s3.versions).toHaveLength(1)
    await forward([large(3)])
    expect(s3.versions).toHaveLength(2)
  })

  it('does not hold up the deadline', async () => {
    s3.fault = () => 'silence'
    const end = performance.now() + 1_700
    const remaining = () => end - performance.now()
    expect((await forward([record(1), large(2)], { remaining })).answer).toEqual(goOnFrom(2))
    expect(remaining()).toBeGreaterThan(500)
  })
})

describe('logs and metrics', () => {
  it('hold no data of an item, whatever fails', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const Jane = { order_id: { S: 'Jane' }, name: { S: 'Jane Doe' } }
    stream.fault = call => (call < 3 ? throttled : { kind: 'part', fails: entry => entry > 0 })
    s3.fault = () => ({ status: 500, code: 'InternalError' })
    const scan = { B: Buffer.alloc(800_000).toString('base64') }
    const all = [
      record(1, { NewImage: Jane }),
      record(2, { Keys: { name: { S: 'Jane' } }, eventName: undefined }),
      record(3, { NewImage: { ...Jane, scan } }),
    ]
    const { log } = await forward(all, { writeMetrics: counts => writeMetrics({ Table: 'Orders' }, counts, 0) })
    expect(written.mock.calls.length).toBeGreaterThan(0)
    expect(JSON.stringify([log, written.mock.calls])).not.toContain('Jane')
  })
  afterEach(() => vi.restoreAllMocks())

  it('are one line of the embedded metric format', () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    writeMetrics({ Table: 'Orders' }, { RecordsLeft: 2, PackBytes: 1024 }, 1_795_341_600_000)
    const [[line]] = written.mock.calls as [[string]]
    expect(line.endsWith('\n')).toBe(true)
    expect(JSON.parse(line)).toEqual({
      _aws: {
        Timestamp: 1_795_341_600_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Itemtrail',
            Dimensions: [['Table']],
            Metrics: [
              { Name: 'RecordsLeft', Unit: 'Count' },
              { Name: 'PackBytes', Unit: 'Bytes' },
            ],
          },
        ],
      },
      Table: 'Orders',
      RecordsLeft: 2,
      PackBytes: 1024,
    })
  })
})

describe('the configuration', () => {
  it('is read from the environment, and what is missing is named at once', () => {
    expect(readEnvironment({ A: '1', B: '2', C: '3' }, ['A', 'B'])).toEqual({ A: '1', B: '2' })
    expect(() => readEnvironment({ A: '1', B: '' }, ['A', 'B', 'C'])).toThrow(
      'environment variables B, C are missing, the stack sets them',
    )
  })
})
