/**
 * A proxy before DynamoDB Local, which cuts the time of a stream record to the minute: here each record gets the time
 * at which its write returned. Let both the workload and the reader of the stream use its endpoint.
 *
 *     const proxy = await startTimeProxy(local.endpoint)
 *     await client.send(new PutItemCommand(...))  // a client of proxy.endpoint
 *     const done = proxy.time                     // microseconds since 1970; every change so far is of a time up to this
 *
 * Writes go through it one after the other, and after each one it looks into the stream for what the write left there,
 * be it nothing, one record or those of a whole transaction. So no record has to be matched with a write by what it
 * holds. What was written past it, by PartiQL or by time to live gets its time when it is noticed, which is with the
 * next write or reading.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Permits } from '../../aws/permits.js'
import { type Loopback, startLoopback } from '../loopback.js'

export interface TimeProxy extends Loopback {
  /**
   * The time of the last change, in microseconds since 1970. Once a write has returned, the times of its records are up
   * to this, above those of every write before it, and below those of every write after it; no two records have one
   * time.
   */
  readonly time: number
  /** The time that a record has; undefined for one that was not seen yet. */
  timeOf(streamArn: string, sequence: string): number | undefined
}

export interface TimeProxyOptions {
  /** What a record's time is a whole number of. @default - us */
  readonly precision?: 'us' | 'ms'
  /** Microseconds since 1970. @default - the clock */
  readonly now?: () => number
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems'])

/** What gives a table another stream, or none. */
const TABLE_CHANGES = new Set(['CreateTable', 'UpdateTable', 'DeleteTable'])

/** Starts a proxy before the DynamoDB Local at `target`. */
export async function startTimeProxy(target: string, options: TimeProxyOptions = {}): Promise<TimeProxy> {
  const times = new RecordTimes(options)
  const inOrder = new Permits(1)
  const streams = new Map<string, FollowedStream[]>()

  /** Gives a time to every record of a table's streams that has none yet. */
  async function note(call: Call, table: string): Promise<void> {
    if (!streams.has(table)) streams.set(table, await listStreams(call, table))
    const found: { readonly arn: string; readonly sequence: string }[] = []
    for (const stream of streams.get(table) ?? [])
      for (const sequence of await readOn(call, stream)) found.push({ arn: stream.arn, sequence })
    times.add(found)
  }

  async function respond(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? ''
    const call: Call = { target, authorization: request.headers.authorization ?? '' }
    const input = (body.length === 0 ? {} : JSON.parse(body.toString())) as Input
    if (WRITES.has(operation)) {
      await inOrder.use(async () => {
        const answer = await forward(target, request, body)
        for (const table of tablesOf(input)) await note(call, table)
        send(response, answer)
      })
    } else if (TABLE_CHANGES.has(operation)) {
      await inOrder.use(async () => {
        const answer = await forward(target, request, body)
        streams.delete(input.TableName ?? '')
        send(response, answer)
      })
    } else if (operation === 'GetRecords') {
      const arn = input.ShardIterator?.split('|')[0] ?? ''
      const answer = await forward(target, request, body)
      if (answer.status === 200 && sequencesOf(answer.body).some(one => times.of(arn, one) === undefined))
        await inOrder.use(() => note(call, tableOf(arn)))
      send(response, answer.status === 200 ? { ...answer, body: times.writeInto(answer.body, arn) } : answer)
    } else send(response, await forward(target, request, body))
  }

  const loopback = await startLoopback((request, body, response) =>
    respond(request, body, response).catch((error: Error) => {
      response.writeHead(502, { 'content-type': 'text/plain' }).end(`${error.stack}\n`)
    }),
  )
  return {
    ...loopback,
    get time() {
      return times.last
    },
    timeOf: (arn, sequence) => times.of(arn, sequence),
  }
}

/** The times of records, which only ever increase. */
class RecordTimes {
  last: number
  private readonly times = new Map<string, number>()
  private readonly step: number
  private readonly now: () => number

  constructor({ precision = 'us', now = () => Date.now() * 1000 }: TimeProxyOptions) {
    this.step = precision === 'us' ? 1 : 1000
    this.now = now
    this.last = this.wholeNow()
  }

  /** The records of one write: the last of them has the time at which the write returned. */
  add(records: readonly { readonly arn: string; readonly sequence: string }[]): void {
    const unknown = records.filter(({ arn, sequence }) => this.of(arn, sequence) === undefined)
    const end = Math.max(this.wholeNow(), this.last + unknown.length * this.step)
    for (const [i, { arn, sequence }] of unknown.entries())
      this.times.set(`${arn} ${sequence}`, end - (unknown.length - 1 - i) * this.step)
    if (unknown.length > 0) this.last = end
  }

  of(arn: string, sequence: string): number | undefined {
    return this.times.get(`${arn} ${sequence}`)
  }

  /** Puts the times into an answer of GetRecords, and leaves every other byte of it as it is. */
  writeInto(answer: string, arn: string): string {
    const sequences = sequencesOf(answer)
    let record = 0
    // a name inside an item is followed by an object, and inside a text its quotes are escaped
    const written = answer.replaceAll(/"ApproximateCreationDateTime":\s*[\d.eE+]+/g, () => {
      const time = this.of(arn, sequences[record++] as string) as number
      const [seconds, micros] = [Math.floor(time / 1e6), String(time % 1e6).padStart(6, '0')]
      return `"ApproximateCreationDateTime":${seconds}.${micros}`
    })
    if (record !== sequences.length) throw new Error(`answer has ${sequences.length} records and ${record} times`)
    return written
  }

  private wholeNow(): number {
    return Math.floor(this.now() / this.step) * this.step
  }
}

interface Input {
  readonly TableName?: string
  readonly RequestItems?: Readonly<Record<string, unknown>>
  readonly TransactItems?: readonly Readonly<Record<string, { readonly TableName: string }>>[]
  readonly ShardIterator?: string
}

function tablesOf({ TableName, RequestItems = {}, TransactItems = [] }: Input): readonly string[] {
  const inTransaction = TransactItems.flatMap(item => Object.values(item).map(one => one.TableName))
  return [...new Set([...(TableName === undefined ? [] : [TableName]), ...Object.keys(RequestItems), ...inTransaction])]
}

function tableOf(streamArn: string): string {
  return streamArn.split('/')[1] ?? ''
}

function sequencesOf(answer: string): readonly string[] {
  const { Records = [] } = JSON.parse(answer) as { Records?: { dynamodb: { SequenceNumber: string } }[] }
  return Records.map(({ dynamodb }) => dynamodb.SequenceNumber)
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

async function forward(target: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...headers } = request.headers
  const answer = await fetch(target, {
    method: request.method ?? 'POST',
    headers: headers as Record<string, string>,
    ...(request.method === 'POST' && { body: new Uint8Array(body) }),
  })
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  // the checksum and the length are those of the answer before
  const { 'x-amz-crc32': _, 'content-length': __, 'content-encoding': ___, ...kept } = headers
  response.writeHead(status, { ...kept, 'content-length': Buffer.byteLength(body) }).end(body)
}

/** How the proxy itself calls: DynamoDB Local keeps tables apart by the access key and region of whoever calls. */
interface Call {
  readonly target: string
  readonly authorization: string
}

async function ask<T>({ target, authorization }: Call, operation: string, input: object): Promise<T> {
  const headers = {
    authorization,
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
  }
  const answer = await fetch(target, { method: 'POST', headers, body: JSON.stringify(input) })
  if (!answer.ok) throw new Error(`${operation} of ${JSON.stringify(input)} was refused: ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Where the proxy itself is in a stream: in each shard, an iterator, or that it has ended. */
interface FollowedStream {
  readonly arn: string
  readonly iterators: Map<string, string | undefined>
}

async function listStreams(call: Call, table: string): Promise<FollowedStream[]> {
  const { Streams } = await ask<{ Streams: { StreamArn: string }[] }>(call, 'ListStreams', { TableName: table })
  return Streams.map(({ StreamArn }) => ({ arn: StreamArn, iterators: new Map<string, string | undefined>() })).sort(
    (a, b) => (a.arn < b.arn ? -1 : 1),
  )
}

/** The sequence numbers that came since the last time, oldest first. */
async function readOn(call: Call, { arn, iterators }: FollowedStream): Promise<readonly string[]> {
  const { StreamDescription } = await ask<{ StreamDescription: { Shards: { ShardId: string }[] } }>(
    call,
    'DescribeStream',
    { StreamArn: arn },
  )
  const found: string[] = []
  for (const { ShardId } of StreamDescription.Shards) {
    const begin = async () => {
      const start = { StreamArn: arn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
      iterators.set(ShardId, (await ask<{ ShardIterator: string }>(call, 'GetShardIterator', start)).ShardIterator)
    }
    if (!iterators.has(ShardId)) await begin()
    let records: readonly Recorded[] = []
    do {
      const iterator = iterators.get(ShardId)
      if (iterator === undefined) break
      const input = { ShardIterator: iterator }
      const answer = await ask<{ Records: Recorded[]; NextShardIterator?: string }>(call, 'GetRecords', input).catch(
        async (error: Error) => {
          // DynamoDB Local refuses an iterator that it gave out while the shard was empty; from the beginning it reads
          // all again
          if (!error.message.includes('TrimmedDataAccessException')) throw error
          await begin()
          return undefined
        },
      )
      if (answer === undefined) {
        records = [AGAIN]
        continue
      }
      records = answer.Records
      found.push(...records.map(({ dynamodb }) => dynamodb.SequenceNumber))
      iterators.set(ShardId, answer.NextShardIterator)
    } while (records.length > 0)
  }
  return found.sort()
}

/** Stands for what is read next. */
const AGAIN: Recorded = { dynamodb: { SequenceNumber: '' } }

interface Recorded {
  readonly dynamodb: { readonly SequenceNumber: string }
}
