/**
 * DynamoDB's DescribeTable and its Streams API on loopback: a table whose stream a test writes, splits and trims as it
 * likes, and whose calls fail on demand. It keeps the rules of the service: iterators name a place, what is trimmed is
 * refused.
 */
import type { ServerResponse } from 'node:http'
import { type Loopback, startLoopback } from './loopback.js'

/** A record of a shard; the wire form is made from it when it is read. */
export interface ScriptedRecord {
  readonly sequence: string
  readonly key: string
  readonly value: number
  /** Milliseconds since 1970. */
  readonly madeAt: number
}

/** One shard as its server sees it. */
export interface ScriptedShard {
  readonly id: string
  readonly parent: string | undefined
  readonly records: ScriptedRecord[]
  /** The sequence number that it begins with, which need not be that of a record. */
  readonly starting: string
  closed: boolean
  /** So many of its records are trimmed. */
  trimmed: number
  /** True where the place at which it begins is trimmed, though no record need have been there. */
  startTrimmed: boolean
}

/** A stream as its server sees it. */
export interface ScriptedStream {
  readonly arn: string
  status: 'ENABLED' | 'DISABLED'
  viewType: string
  readonly shards: ScriptedShard[]
}

/** A call that came in; `count` is how many of this operation came before. */
export interface StreamsCall {
  readonly operation: string
  readonly count: number
  readonly shard: string | undefined
  /** Of an iterator. */
  readonly type: string | undefined
}

/**
 * What a call meets with: an error of the service by its name, a broken connection, or an answer that takes a portion
 * without records.
 */
export type StreamsFault = { readonly error: string } | 'reset' | 'page' | 'empty' | undefined

export interface StreamsServer extends Loopback {
  /** Undefined: there is no such table. */
  table: { readonly name: string; latest: string | undefined } | undefined
  readonly streams: ScriptedStream[]
  fault: (call: StreamsCall) => StreamsFault
  /** An answer waits for this. */
  hold: () => Promise<void>
  /** Records of one answer, shards of one page. */
  readonly limits: { records: number; shards: number }
  readonly calls: StreamsCall[]
  /** A further stream of the table, which becomes its own. */
  addStream(label?: string): ScriptedStream
  addShard(stream: ScriptedStream, parent?: ScriptedShard): ScriptedShard
  /** Writes a change of the item `key` to a shard; sequence numbers increase over all shards. */
  write(shard: ScriptedShard, key: string, madeAt?: number): ScriptedRecord
  /** Closes a shard and gives it children. */
  split(stream: ScriptedStream, shard: ScriptedShard, into?: number): readonly ScriptedShard[]
}

/** When scripted changes are made unless a test says otherwise. */
export const MADE_AT = Date.UTC(2026, 10, 22, 10)

export async function startStreamsServer(name = 'Orders'): Promise<StreamsServer> {
  let sequence = 0
  let shards = 0
  let labels = 0
  const nextSequence = () => String(++sequence).padStart(21, '0')
  const counts = new Map<string, number>()
  const loopback = await startLoopback(async (request, body, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const input = JSON.parse(body.toString()) as Input
    const shard = input.ShardId ?? (input.ShardIterator === undefined ? undefined : placeOf(input.ShardIterator).shard)
    const call = { operation, shard, type: input.ShardIteratorType, count: counts.get(operation) ?? 0 }
    counts.set(operation, call.count + 1)
    server.calls.push(call)
    await server.hold()
    const fault = server.fault(call)
    if (fault === 'reset') return response.destroy()
    if (fault === 'page')
      return response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>')
    if (typeof fault === 'object') return refuse(response, fault.error)
    const outcome = answer(server, operation, input, fault === 'empty')
    if (typeof outcome === 'string') return refuse(response, outcome)
    return response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(outcome))
  })
  const server: StreamsServer = {
    ...loopback,
    table: { name, latest: undefined },
    streams: [],
    fault: () => undefined,
    hold: async () => {},
    limits: { records: 3, shards: 2 },
    calls: [],
    addStream: (label = `2026-11-22T00:00:${String(labels++).padStart(2, '0')}.000`) => {
      const arn = `arn:aws:dynamodb:us-east-1:123456789012:table/${name}/stream/${label}`
      const stream: ScriptedStream = { arn, status: 'ENABLED', viewType: 'NEW_AND_OLD_IMAGES', shards: [] }
      for (const before of server.streams) {
        before.status = 'DISABLED'
        for (const shard of before.shards) shard.closed = true
      }
      server.streams.push(stream)
      if (server.table !== undefined) server.table.latest = arn
      return stream
    },
    addShard: (stream, parent) => {
      const shard: ScriptedShard = {
        id: `shardId-${String(++shards).padStart(20, '0')}-abcdef01`,
        parent: parent?.id,
        records: [],
        starting: nextSequence(),
        closed: false,
        trimmed: 0,
        startTrimmed: false,
      }
      stream.shards.push(shard)
      return shard
    },
    write: (shard, key, madeAt = MADE_AT) => {
      if (shard.closed) throw new Error(`shard ${shard.id} is closed`)
      const record = { sequence: nextSequence(), key, value: sequence, madeAt }
      shard.records.push(record)
      return record
    },
    split: (stream, shard, into = 2) => {
      shard.closed = true
      return Array.from({ length: into }, () => server.addShard(stream, shard))
    },
  }
  return server
}

interface Input {
  readonly TableName?: string
  readonly StreamArn?: string
  readonly ExclusiveStartShardId?: string
  readonly ShardId?: string
  readonly ShardIteratorType?: string
  readonly SequenceNumber?: string
  readonly ShardIterator?: string
}

/** The answer to a call, or the name of the error that it is refused with. */
function answer(server: StreamsServer, operation: string, input: Input, empty: boolean): object | string {
  switch (operation) {
    case 'DescribeTable':
      return describeTable(server, input)
    case 'ListStreams':
      return { Streams: server.streams.map(({ arn }) => ({ StreamArn: arn, StreamLabel: arn.split('/').at(-1) })) }
    case 'DescribeStream':
      return describeStream(server, input)
    case 'GetShardIterator':
      return getShardIterator(server, input)
    case 'GetRecords':
      return getRecords(server, placeOf(input.ShardIterator ?? ''), empty)
    default:
      return 'UnknownOperationException'
  }
}

function describeTable({ table }: StreamsServer, { TableName }: Input): object | string {
  if (table === undefined || TableName !== table.name) return 'ResourceNotFoundException'
  const KeySchema = [{ AttributeName: 'order_id', KeyType: 'HASH' }]
  return { Table: { TableName, KeySchema, LatestStreamArn: table.latest } }
}

function describeStream({ streams, limits }: StreamsServer, input: Input): object | string {
  const stream = streams.find(({ arn }) => arn === input.StreamArn)
  if (stream === undefined) return 'ResourceNotFoundException'
  const from = stream.shards.findIndex(({ id }) => id === input.ExclusiveStartShardId) + 1
  const page = stream.shards.slice(from, from + limits.shards)
  const Shards = page.map(({ id, parent, starting, closed, records }) => ({
    ShardId: id,
    ParentShardId: parent,
    SequenceNumberRange: {
      StartingSequenceNumber: starting,
      ...(closed && { EndingSequenceNumber: records.at(-1)?.sequence ?? starting }),
    },
  }))
  const isLast = from + limits.shards >= stream.shards.length
  const { arn: StreamArn, status: StreamStatus, viewType: StreamViewType } = stream
  const LastEvaluatedShardId = isLast ? undefined : page.at(-1)?.id
  return { StreamDescription: { StreamArn, StreamStatus, StreamViewType, Shards, LastEvaluatedShardId } }
}

function getShardIterator(server: StreamsServer, input: Input): object | string {
  const shard = findShard(server, input.StreamArn, input.ShardId)
  if (shard === undefined) return 'ResourceNotFoundException'
  const { records, trimmed, startTrimmed } = shard
  const { StreamArn: arn = '', ShardIteratorType: type, SequenceNumber: sequence = '' } = input
  if (type === 'TRIM_HORIZON') return iteratorAt(arn, shard, trimmed)
  if (type === 'AT_SEQUENCE_NUMBER' && sequence === shard.starting)
    return startTrimmed || trimmed > 0 ? 'TrimmedDataAccessException' : iteratorAt(arn, shard, 0)
  const index = records.findIndex(record => record.sequence === sequence)
  if (index === -1) return 'ValidationException'
  if (index < trimmed) return 'TrimmedDataAccessException'
  return iteratorAt(arn, shard, type === 'AT_SEQUENCE_NUMBER' ? index : index + 1)
}

interface Place {
  readonly arn: string
  readonly shard: string
  readonly index: number
}

function iteratorAt(arn: string, { id: shard }: ScriptedShard, index: number): object {
  return { ShardIterator: JSON.stringify({ arn, shard, index }) }
}

function placeOf(iterator: string): Place {
  return JSON.parse(iterator) as Place
}

function getRecords(server: StreamsServer, { arn, shard: id, index }: Place, empty: boolean): object | string {
  const shard = findShard(server, arn, id)
  if (shard === undefined) return 'ResourceNotFoundException'
  if (index < shard.trimmed) return 'TrimmedDataAccessException'
  const end = empty ? index : Math.min(index + server.limits.records, shard.records.length)
  const viewType = server.streams.find(stream => stream.arn === arn)?.viewType ?? ''
  const Records = shard.records.slice(index, end).map(record => wireOf(record, viewType))
  const atEnd = shard.closed && end === shard.records.length
  return { Records, ...(!atEnd && { NextShardIterator: JSON.stringify({ arn, shard: id, index: end }) }) }
}

function findShard(
  { streams }: StreamsServer,
  arn: string | undefined,
  id: string | undefined,
): ScriptedShard | undefined {
  return streams.find(stream => stream.arn === arn)?.shards.find(shard => shard.id === id)
}

function wireOf({ sequence, key, value, madeAt }: ScriptedRecord, viewType: string): object {
  return {
    eventID: `event-${sequence}`,
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: madeAt / 1000,
      Keys: { order_id: { S: key } },
      NewImage: { order_id: { S: key }, value: { N: String(value) } },
      SequenceNumber: sequence,
      SizeBytes: 20,
      StreamViewType: viewType,
    },
  }
}

function refuse(response: ServerResponse, code: string): ServerResponse {
  const status = code.startsWith('Internal') ? 500 : 400
  return response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
    .end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: `${code} on demand` }))
}
