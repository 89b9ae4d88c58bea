/**
 * The forwarder against services that fail, driven as Lambda's event source mapping drives it. Whatever happens, a
 * change is accepted, or kept, or still to be sent: never acknowledged and gone, never altered.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import { S3Client } from '@aws-sdk/client-s3'
import type { DynamoDBRecord } from 'aws-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createForwarder, type Forwarder } from '../../capture/forwarder.js'
import type { Counts } from '../../capture/write-metrics.js'
import { refusedPrefix } from '../../transform/layout.js'
import { transformRecord } from '../../transform/transform.js'
import { ARRIVAL, CHANGED_AT, streamsRecord, tableConfiguration } from '../factories.js'
import { type Fault, type FirehoseServer, startFirehoseServer } from '../firehose-server.js'
import { LOOPBACK_CONNECTION } from '../loopback.js'
import { type Random, randomOf } from '../random.js'
import { type S3Fault, type S3Server, startS3Server } from '../s3-server.js'

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed + 1)

/** Small packs, so that a batch is several; what is "oversize" here is an ordinary record of a few KB. */
const LIMITS = { packBytes: 1_500, recordBytes: 4_000 }

/** Real milliseconds that a call may take where some get no answer in time, longer than that, and time enough. */
const CALL_MS = 70
const TOO_LONG_MS = 500
const PATIENCE_MS = 20_000

/** A second each, unless the machine is busy. */
const TIMEOUT = 120_000

/** Records that Lambda hands over at once. */
const BATCH = 16

/** Runs at a time: more of them would make each other late. */
const ABREAST = 6

/**
 * An invocation's time, for four failures or so in a row. Only waits between tries take of it, and they pass on paper.
 */
const BUDGET_MS = 2_500

/** What the forwarder leaves of an invocation's time, to answer in. */
const RESERVE_MS = 1_000

/** In every item, to be found in no log and no metric. */
const PERSONAL = 'Jane Doe'

const table = tableConfiguration()

const error = (status: number, code: string): Fault => ({ kind: 'error', status, code })

const FAULTS: Readonly<Record<string, (random: Random) => Fault>> = {
  'some entries failing': random => {
    const failing = new Set(Array.from({ length: 500 }, (_, entry) => entry).filter(() => random() < 0.5))
    return { kind: 'part', fails: entry => failing.has(entry) }
  },
  'all entries failing': () => ({ kind: 'part', fails: () => true }),
  ServiceUnavailableException: () => error(500, 'ServiceUnavailableException'),
  ThrottlingException: () => error(400, 'ThrottlingException'),
  LimitExceededException: () => error(400, 'LimitExceededException'),
  AccessDeniedException: () => error(400, 'AccessDeniedException'),
  InternalFailure: () => error(500, 'InternalFailure'),
  'a page of a proxy': () => ({ kind: 'page', status: 502 }),
  'a page of a proxy that says 200': () => ({ kind: 'page', status: 200 }),
  'broken connections': () => ({ kind: 'reset' }),
  'no answer': () => ({ kind: 'silence' }),
  'slow answers': random => ({ kind: 'accepted-slow', ms: random() * 20 }),
  'answers that come too late': () => ({ kind: 'accepted-slow', ms: TOO_LONG_MS }),
  'accepting and breaking the connection': () => ({ kind: 'accepted-reset' }),
  'accepting and not answering': () => ({ kind: 'accepted-silence' }),
  'accepting and answering half': () => ({ kind: 'accepted-half' }),
}

/** Faults that only the end of a call's time ends. */
const LATE = ['no answer', 'too late', 'not answering', 'answering half', 'all of these']

const S3_FAULTS: readonly S3Fault[] = [
  { status: 503, code: 'SlowDown' },
  { status: 500, code: 'InternalError' },
  { status: 403, code: 'AccessDenied' },
  { status: 409, code: 'ConditionalRequestConflict' },
  'reset',
  'silence',
]

let firehose: FirehoseServer
let s3: S3Server
/** By table: runs side by side share the server, not their luck. */
const s3Faults = new Map<string, () => S3Fault>()
let clients: { readonly firehose: FirehoseClient; readonly s3: S3Client }

beforeAll(async () => {
  firehose = await startFirehoseServer()
  s3 = await startS3Server()
  s3.fault = (_operation, key) => s3Faults.get(key.split('/')[2] as string)?.()
  clients = {
    firehose: new FirehoseClient({ ...LOOPBACK_CONNECTION, endpoint: firehose.endpoint, maxAttempts: 1 }),
    s3: new S3Client({ ...LOOPBACK_CONNECTION, endpoint: s3.endpoint, maxAttempts: 1 }),
  }
})
afterAll(() => Promise.all([firehose.stop(), s3.stop()]))

describe('with Firehose every other time', () => {
  const kinds = { ...FAULTS, 'all of these': anyFault }
  it.each(Object.entries(kinds))(
    '%s: every change is accepted or kept',
    async (name, fault) => {
      const runs = await eachSeed(SEEDS, seed =>
        run(`${name} ${seed}`, seed, random => (random() < 0.5 ? fault(random) : { kind: 'none' })),
      )
      for (const { shard, checkpoint } of runs) expect(checkpoint).toBe(shard.length)
    },
    TIMEOUT,
  )
})

describe('with Firehose always', () => {
  const lost = Object.entries(FAULTS).filter(([name]) => name !== 'slow answers' && name !== 'some entries failing')
  it.each(lost)(
    '%s: what was not accepted is still to be sent',
    async (name, fault) => {
      const runs = await eachSeed(SEEDS.slice(0, 2), seed => run(`always ${name} ${seed}`, seed, fault, 2))
      for (const { checkpoint } of runs) expect(checkpoint).toBe(0)
    },
    TIMEOUT,
  )
})

/** A few at a time, so that their waiting overlaps. */
async function eachSeed(seeds: readonly number[], run: (seed: number) => Promise<Run>): Promise<readonly Run[]> {
  const waiting = [...seeds]
  const runs: Run[] = []
  const worker = async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) runs.push(await run(seed))
  }
  await Promise.all(Array.from({ length: ABREAST }, worker))
  return runs
}

interface Run {
  readonly shard: readonly DynamoDBRecord[]
  /** How many records from the front the event source mapping has left behind. */
  readonly checkpoint: number
}

/** One shard through the forwarder until it is through or the invocations are used up, checked at every step. */
async function run(name: string, seed: number, fault: (random: Random) => Fault, invocations = 200): Promise<Run> {
  const random = randomOf(seed)
  const shard = shardOf(random)
  const texts = shard.map(record => JSON.stringify(record))
  const stream = firehose.stream(name)
  stream.fault = () => fault(random)
  const late = LATE.some(words => name.includes(words))
  const s3Kinds = S3_FAULTS.filter(kind => late || kind !== 'silence')
  s3Faults.set(tableOf(name), () => (random() < 0.5 ? s3Kinds[Math.floor(random() * s3Kinds.length)] : undefined))
  const observed: string[] = []
  const counted: Counts[] = []
  let slept = 0
  let invocation = 0
  const forwarder = createForwarder({
    table: tableOf(name),
    deliveryStream: name,
    refusedBucket: 'refused',
    ...clients,
    writeMetrics: counts => counted.push(counts),
    log: (message, details) => observed.push(JSON.stringify({ message, details })),
    limits: LIMITS,
    time: {
      // two that wait at once wait together
      sleep: async ms => {
        const until = slept + ms
        await nextTurn()
        slept = Math.max(slept, until)
      },
      random,
      // with more patience each time: on a machine so busy that nothing is in time, a run must come to its end too
      get callMs() {
        return late ? CALL_MS * (1 + invocation / 5) : PATIENCE_MS
      },
    },
  })
  let checkpoint = 0
  let batchSize = BATCH
  for (; invocation < invocations && checkpoint < shard.length; invocation++) {
    const batch = shard.slice(checkpoint, checkpoint + batchSize)
    slept = 0
    const remaining = () => BUDGET_MS - slept
    const done = await invoke(forwarder, batch, remaining)
    expect(remaining()).toBeGreaterThanOrEqual(RESERVE_MS)
    checkpoint += done.acknowledged
    batchSize = done.failed ? Math.max(1, batchSize >> 1) : BATCH
    if (!done.failed) expectToAddUp(counted.at(-1), batch.length)
    const there = textsThere(name)
    expect(texts.slice(0, checkpoint).filter(text => !there.has(text))).toEqual([])
    expect([...there].filter(text => !texts.includes(text))).toEqual([])
  }
  const packs = stream.accepted.filter(data => data.includes('\n'))
  expect(packs.map(data => transformRecord(data, ARRIVAL, table).kind)).toEqual(packs.map(() => 'transformed'))
  expect(observed.join() + JSON.stringify(counted)).not.toContain(PERSONAL)
  return { shard, checkpoint }
}

/** As Lambda reads an answer: a failed record is where it goes on, and what stands before it is done. */
async function invoke(forwarder: Forwarder, batch: readonly DynamoDBRecord[], remaining: () => number) {
  const context = { getRemainingTimeInMillis: remaining, invokedFunctionArn: 'arn:forwarder' }
  // through JSON, as every event comes
  const answer = await forwarder(JSON.parse(JSON.stringify({ Records: batch })), context).catch(() => undefined)
  if (answer === undefined) return { acknowledged: 0, failed: true }
  const places = answer.batchItemFailures.map(({ itemIdentifier }) =>
    batch.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === itemIdentifier),
  )
  expect(places).not.toContain(-1)
  return { acknowledged: Math.min(batch.length, ...places), failed: false }
}

function tableOf(name: string): string {
  return name.replaceAll(' ', '-')
}

/** What Firehose or the refused bucket holds of a run, each record as its text. */
function textsThere(name: string): ReadonlySet<string> {
  const prefix = refusedPrefix('oversize', tableOf(name))
  const kept = s3.versions
    .filter(({ key }) => key.startsWith(prefix))
    .map(({ body }) => Buffer.from(JSON.parse(body.toString()).rawData, 'base64').toString())
  // content-addressed: a batch sent again keeps no second copy
  expect(new Set(kept).size).toBe(kept.length)
  return new Set([...firehose.stream(name).accepted.flatMap(data => data.toString().split('\n')), ...kept])
}

/** In = out: nothing that came in is uncounted. */
function expectToAddUp(counts: Counts | undefined, records: number): void {
  const { RecordsReceived, RecordsAccepted = 0, RecordsOversize = 0, RecordsLeft = 0 } = counts ?? {}
  expect(RecordsReceived).toBe(records)
  expect(RecordsAccepted + RecordsOversize + RecordsLeft).toBe(records)
}

/** Changes of two days, a few of them unreadable or without a time, one too large. */
function shardOf(random: Random): readonly DynamoDBRecord[] {
  return Array.from({ length: 32 }, (_, i) => {
    const size = i === 5 ? 5_000 : random() * 400
    const SequenceNumber = String(1_000_000_000_000 + i)
    const NewImage = { order_id: { S: `ORD${i}` }, customer: { S: PERSONAL.repeat(1 + size / 8) } }
    const record = streamsRecord({ eventID: `event${i}`, SequenceNumber, NewImage, ...(i % 13 === 7 && MISFIT) })
    if (i % 11 === 3) delete record.dynamodb?.ApproximateCreationDateTime
    else if (record.dynamodb) record.dynamodb.ApproximateCreationDateTime = CHANGED_AT - (random() < 0.3 ? 86_400 : i)
    return record
  })
}

const MISFIT = { eventSourceARN: 'no ARN' }

function anyFault(random: Random): Fault {
  const faults = Object.values(FAULTS)
  return (faults[Math.floor(random() * faults.length)] as (random: Random) => Fault)(random)
}
