/** The calls of the DynamoDB Streams API that reading a stream takes. */
import { buffer } from 'node:stream/consumers'
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type ShardIteratorType,
  type StreamStatus,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb-streams'
import { isObject } from '../transform/json.js'
import type { ListedShard } from './shards.js'

/** What DescribeStream says, all of its pages together. */
export interface StreamDescription {
  readonly status: StreamStatus
  readonly viewType: StreamViewType | undefined
  readonly shards: readonly ListedShard[]
}

/** Where reading of a shard begins. */
export type ShardStart = { readonly kind: 'oldest' } | { readonly kind: 'at' | 'after'; readonly sequence: string }

/** One answer of GetRecords, its records as they were on the wire; without `next` the shard is at its end. */
export interface StreamRecords {
  readonly records: readonly unknown[]
  readonly next: string | undefined
}

/** One page of what DescribeStream says; `next` is where a further page begins. */
export interface StreamPage extends StreamDescription {
  readonly next: string | undefined
}

/** Describes a stream with all of its shards, however many pages they fill. */
export async function describeStream(
  describePage: (after: string | undefined) => Promise<StreamPage>,
): Promise<StreamDescription> {
  const shards: ListedShard[] = []
  let after: string | undefined
  for (;;) {
    const page = await describePage(after)
    shards.push(...page.shards)
    if (page.next === undefined) return { ...page, shards }
    after = page.next
  }
}

/** The page of a stream's shards that comes after one of them. */
export async function describePage(
  client: DynamoDBStreamsClient,
  streamArn: string,
  after: string | undefined,
  abortSignal?: AbortSignal,
): Promise<StreamPage> {
  const command = new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: after })
  const { StreamDescription: page } = await client.send(command, { ...(abortSignal && { abortSignal }) })
  const shards = (page?.Shards ?? []).map(({ ShardId, ParentShardId, SequenceNumberRange }) => ({
    id: required(ShardId, 'ShardId'),
    parent: ParentShardId ?? null,
    starting: SequenceNumberRange?.StartingSequenceNumber ?? null,
  }))
  const status = required(page?.StreamStatus, 'StreamStatus')
  return { status, viewType: page?.StreamViewType, shards, next: page?.LastEvaluatedShardId }
}

const ITERATOR_TYPES: Readonly<Record<ShardStart['kind'], ShardIteratorType>> = {
  oldest: 'TRIM_HORIZON',
  at: 'AT_SEQUENCE_NUMBER',
  after: 'AFTER_SEQUENCE_NUMBER',
}

/** An iterator, good for 15 minutes, that begins at a place in a shard. */
export async function getIterator(
  client: DynamoDBStreamsClient,
  streamArn: string,
  shardId: string,
  start: ShardStart,
  abortSignal?: AbortSignal,
): Promise<string> {
  const command = new GetShardIteratorCommand({
    StreamArn: streamArn,
    ShardId: shardId,
    ShardIteratorType: ITERATOR_TYPES[start.kind],
    ...(start.kind !== 'oldest' && { SequenceNumber: start.sequence }),
  })
  const { ShardIterator } = await client.send(command, { ...(abortSignal && { abortSignal }) })
  return required(ShardIterator, 'ShardIterator')
}

/**
 * The records at an iterator, as they are on the wire. The SDK is not let near them: it decodes an attribute
 * `__proto__` as undefined (seen in 3.1141.0), and one of a type that it does not know would be lost in it, where the
 * transform keeps it.
 */
export async function getRecords(
  client: DynamoDBStreamsClient,
  iterator: string,
  abortSignal?: AbortSignal,
): Promise<StreamRecords> {
  const command = new GetRecordsCommand({ ShardIterator: iterator })
  let wire = ''
  command.middlewareStack.add(
    next => async args => {
      const result = await next(args)
      const response = result.response as { statusCode: number; body: AsyncIterable<Uint8Array> }
      if (response.statusCode !== 200) return result
      wire = (await buffer(response.body)).toString()
      Object.assign(response, { body: Buffer.from('{}') })
      return result
    },
    // the lowest priority stands between the SDK's decoder and the network
    { step: 'deserialize', priority: 'low' },
  )
  await client.send(command, { ...(abortSignal && { abortSignal }) })
  const answer: unknown = JSON.parse(wire)
  const { Records = [], NextShardIterator: next } = isObject(answer) ? answer : {}
  if (!Array.isArray(Records)) throw new SyntaxError(`GetRecords answered with Records ${JSON.stringify(Records)}`)
  return { records: Records, next: typeof next === 'string' ? next : undefined }
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`stream API answered without ${name}, which it always has`)
  return value
}
