/**
 * Reads a DynamoDB stream through its own API and gives each record the shape that Lambda gives it, so that the rest of
 * the path cannot tell which way a record came.
 */
import {
  type _Record,
  type AttributeValue,
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type OperationType,
  type Shard,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb-streams'
import { keepWireAnswer, restoreProto } from './wire-answer.js'

/** An attribute value as it is on the wire: numbers are text, binary is base64. */
export type WireValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: boolean }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly WireValue[] }
  | { readonly M: WireImage }

/** The attributes of an item, or of its key, as they are on the wire. */
export interface WireImage {
  readonly [name: string]: WireValue
}

/** One stream record in the shape that Lambda hands to a function. */
export interface LambdaRecord {
  readonly eventID: string
  readonly eventName: OperationType
  readonly eventVersion: string
  readonly eventSource: string
  readonly awsRegion: string
  readonly dynamodb: {
    /** Epoch seconds. */
    readonly ApproximateCreationDateTime?: number
    readonly Keys: WireImage
    readonly NewImage?: WireImage
    readonly OldImage?: WireImage
    readonly SequenceNumber: string
    readonly SizeBytes: number
    readonly StreamViewType: StreamViewType
  }
  /** Only on what DynamoDB did itself, such as a TTL delete. */
  readonly userIdentity?: { readonly type: string; readonly principalId: string }
  readonly eventSourceARN: string
}

/**
 * Yields what the stream holds, oldest first: a parent shard before its children, so the changes of one item come in
 * their order. It reads the shards there are when it is called, closed ones to their end and open ones until it has
 * caught up, and then it ends.
 */
export async function* readStream(client: DynamoDBStreamsClient, streamArn: string): AsyncGenerator<LambdaRecord> {
  for (const shard of sortParentsFirst(await listShards(client, streamArn))) {
    for await (const record of readShard(client, streamArn, required(shard.ShardId, 'ShardId'))) {
      yield toLambdaRecord(record, streamArn)
    }
  }
}

/** Turns a record of the stream API into the record Lambda would get: no Dates, no bytes, and it names its stream. */
export function toLambdaRecord(record: _Record, streamArn: string): LambdaRecord {
  const change = required(record.dynamodb, 'dynamodb')
  const { ApproximateCreationDateTime: time, NewImage, OldImage } = change
  const { userIdentity } = record
  return {
    eventID: required(record.eventID, 'eventID'),
    eventName: required(record.eventName, 'eventName'),
    eventVersion: required(record.eventVersion, 'eventVersion'),
    eventSource: required(record.eventSource, 'eventSource'),
    awsRegion: required(record.awsRegion, 'awsRegion'),
    dynamodb: {
      ...(time && { ApproximateCreationDateTime: time.getTime() / 1000 }),
      Keys: toWireImage(required(change.Keys, 'dynamodb.Keys')),
      ...(NewImage && { NewImage: toWireImage(NewImage) }),
      ...(OldImage && { OldImage: toWireImage(OldImage) }),
      SequenceNumber: required(change.SequenceNumber, 'dynamodb.SequenceNumber'),
      SizeBytes: required(change.SizeBytes, 'dynamodb.SizeBytes'),
      StreamViewType: required(change.StreamViewType, 'dynamodb.StreamViewType'),
    },
    ...(userIdentity && {
      userIdentity: {
        type: required(userIdentity.Type, 'userIdentity.Type'),
        principalId: required(userIdentity.PrincipalId, 'userIdentity.PrincipalId'),
      },
    }),
    eventSourceARN: streamArn,
  }
}

function toWireImage(image: Record<string, AttributeValue>): WireImage {
  // fromEntries defines each name, where an assignment would lose an attribute called __proto__.
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, toWireValue(value)]))
}

function toWireValue(value: AttributeValue): WireValue {
  if (value.B !== undefined) return { B: toBase64(value.B) }
  if (value.BS !== undefined) return { BS: value.BS.map(toBase64) }
  if (value.L !== undefined) return { L: value.L.map(toWireValue) }
  if (value.M !== undefined) return { M: toWireImage(value.M) }
  if (value.$unknown !== undefined) {
    throw new Error(`attribute value has the unknown type "${value.$unknown[0]}", the AWS SDK must be newer to read it`)
  }
  return value
}

/** A string is base64 already: `restoreProto` took it from the wire. */
function toBase64(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('base64')
}

async function listShards(client: DynamoDBStreamsClient, streamArn: string): Promise<Shard[]> {
  const shards: Shard[] = []
  let last: string | undefined
  do {
    const page = await client.send(new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: last }))
    shards.push(...(page.StreamDescription?.Shards ?? []))
    last = page.StreamDescription?.LastEvaluatedShardId
  } while (last !== undefined)
  return shards
}

/** A parent that is no longer listed has been trimmed; its children then come first. */
function sortParentsFirst(shards: readonly Shard[]): Iterable<Shard> {
  const byId = new Map(shards.map(shard => [shard.ShardId, shard]))
  const sorted = new Set<Shard>()
  const add = (shard: Shard) => {
    const parent = shard.ParentShardId === undefined ? undefined : byId.get(shard.ParentShardId)
    if (parent !== undefined && !sorted.has(parent)) add(parent)
    sorted.add(shard)
  }
  shards.forEach(add)
  return sorted
}

/**
 * An open shard never says that it has no more, and a single empty answer proves nothing: GetRecords walks the shard in
 * portions, some of them empty. So many in a row count as caught up.
 */
const EMPTY_ANSWERS = 5

async function* readShard(client: DynamoDBStreamsClient, streamArn: string, shardId: string): AsyncGenerator<_Record> {
  const start = { StreamArn: streamArn, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' } as const
  let iterator = (await client.send(new GetShardIteratorCommand(start))).ShardIterator
  let empty = 0
  while (iterator !== undefined && empty < EMPTY_ANSWERS) {
    const answer = await getRecords(client, iterator)
    const records = answer.Records ?? []
    yield* records
    empty = records.length === 0 ? empty + 1 : 0
    iterator = answer.NextShardIterator
  }
}

/** GetRecords without the SDK's one loss. */
async function getRecords(client: DynamoDBStreamsClient, iterator: string): Promise<GetRecordsOutput> {
  const command = new GetRecordsCommand({ ShardIterator: iterator })
  const wire = keepWireAnswer(command)
  const answer = await client.send(command)
  restoreProto(answer, wire.body())
  return answer
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`stream API answered without ${name}, which every record and shard has`)
  return value
}
