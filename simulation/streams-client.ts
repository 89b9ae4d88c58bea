/**
 * The DynamoDB Streams API as a process of ours sees it. API reference: DescribeStream (pages; closed shards a day after
 * their last record are gone), GetShardIterator and GetRecords (iterators of 15 minutes, TrimmedDataAccessException,
 * answers without records although there are more, LimitExceededException).
 */
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { operationOf, type Process, passingError, serviceError } from './process.js'
import { type Kept, type Shard, type SimulatedTable, STREAM_ARN } from './table.js'

interface Input {
  readonly ExclusiveStartShardId?: string
  readonly ShardId?: string
  readonly ShardIteratorType?: string
  readonly SequenceNumber?: string
  readonly ShardIterator?: string
}

type Handler = (args: unknown) => Promise<unknown>

interface Command {
  readonly constructor: { readonly name: string }
  readonly input: Input
  readonly middlewareStack: { resolve(handler: Handler, context: object): Handler }
}

const ITERATOR_MS = 15 * 60_000
const DAY_MS = 24 * 3_600_000
const PAGE_SHARDS = 3
const MOST_RECORDS = 50

/** The client that a process is given. */
export function streamsClientOf(process: Process, table: SimulatedTable): DynamoDBStreamsClient {
  const { world } = process
  const stream = new StreamService(process, table)
  const send = async (command: Command) => {
    const { input } = command
    const answer = await process.call({
      operation: `streams ${operationOf(command.constructor.name)}`,
      about: input.ShardId ?? input.ShardIterator?.split('|')[0] ?? input.ExclusiveStartShardId ?? '',
      isPartial: found => (found as Found).isShort === true,
      slowMs: world.faults.strike('stream-slow') ? world.dice.between(1000, 40_000) : 0,
      serve: () => stream.answer(command.constructor.name, input),
    })
    if (command.constructor.name !== 'GetRecordsCommand') return answer
    // our code reads the wire itself, before the SDK's decoder
    const body = [Buffer.from(JSON.stringify(answer))]
    const handler = command.middlewareStack.resolve(
      async () => ({ output: {}, response: { statusCode: 200, body } }),
      {},
    )
    await process.work(handler({ input }))
    return {}
  }
  return Object.assign(Object.create(DynamoDBStreamsClient.prototype) as DynamoDBStreamsClient, { send })
}

/** An answer, and whether a fault left out what it could have. */
interface Found {
  readonly isShort?: boolean
}

class StreamService {
  constructor(
    private readonly process: Process,
    private readonly table: SimulatedTable,
  ) {}

  answer(command: string, input: Input): unknown {
    const { faults, dice } = this.process.world
    if (faults.strike('stream-throttled')) {
      if (dice.chance(0.5)) throw passingError('LimitExceededException', 400)
      throw passingError('InternalServerError', 500)
    }
    switch (command) {
      case 'DescribeStreamCommand':
        return this.describe(input)
      case 'GetShardIteratorCommand':
        return { ShardIterator: this.iterator(input) }
      case 'GetRecordsCommand':
        return this.records(input)
      default:
        throw new Error(`command ${command} is not simulated`)
    }
  }

  private get now(): number {
    return this.process.world.scheduler.now
  }

  /** A shard is listed until a day after it was closed, with all of its records forgotten. */
  private get listed(): readonly Shard[] {
    return this.table.shards.filter(({ closedMs }) => closedMs === undefined || this.now - closedMs <= DAY_MS)
  }

  private describe({ ExclusiveStartShardId: after }: Input): unknown {
    const rest = this.listed.filter(({ id }) => after === undefined || id > after)
    const page = rest.slice(0, PAGE_SHARDS)
    const Shards = page.map(shard => ({
      ShardId: shard.id,
      ...(shard.parent !== undefined && { ParentShardId: shard.parent.id }),
      SequenceNumberRange: { StartingSequenceNumber: shard.starting },
    }))
    const last = page.length < rest.length ? { LastEvaluatedShardId: page.at(-1)?.id } : {}
    return { StreamDescription: { StreamStatus: 'ENABLED', StreamViewType: 'NEW_AND_OLD_IMAGES', Shards, ...last } }
  }

  private shardOf(id: string | undefined): Shard {
    const shard = this.listed.find(shard => shard.id === id)
    if (shard === undefined) throw serviceError('ResourceNotFoundException', 400)
    return shard
  }

  private iterator({ ShardId, ShardIteratorType: type, SequenceNumber: sequence = '0' }: Input): string {
    const shard = this.shardOf(ShardId)
    const place = startOf(shard, type, sequence)
    this.process.world.story.detail(this.process.name, () =>
      [`begins at record ${place} of ${shard.id}, ${type}`, ...(sequence === '0' ? [] : [sequence])].join(' '),
    )
    if (place < shard.trimmed) throw serviceError('TrimmedDataAccessException', 400)
    return `${shard.id}|${place}|${Math.floor(this.now)}`
  }

  private records({ ShardIterator = '' }: Input): unknown {
    const { faults, dice } = this.process.world
    const [id, from, since] = ShardIterator.split('|')
    const shard = this.shardOf(id)
    if (this.now - Number(since) > ITERATOR_MS) throw serviceError('ExpiredIteratorException', 400)
    const place = Number(from)
    if (place < shard.trimmed) throw serviceError('TrimmedDataAccessException', 400)
    const isShort = faults.strike('stream-empty')
    const count = isShort ? 0 : dice.between(1, MOST_RECORDS)
    const found = shard.records.slice(place, place + count)
    const next = place + found.length
    const isOver = shard.closedMs !== undefined && next === shard.records.length
    const NextShardIterator = isOver ? undefined : `${id}|${next}|${Math.floor(this.now)}`
    return { Records: found.map(toWire), NextShardIterator, isShort }
  }
}

function startOf(shard: Shard, type: string | undefined, sequence: string): number {
  if (type === 'TRIM_HORIZON') return shard.trimmed
  return type === 'LATEST' ? shard.records.length : placeOf(shard, type === 'AFTER_SEQUENCE_NUMBER', sequence)
}

/** Where reading begins at or after a sequence number, which need not be that of a record. */
function placeOf({ records, trimmed }: Shard, isAfter: boolean, sequence: string): number {
  const wanted = BigInt(sequence)
  const numbers = records.map(({ record }) => BigInt(record.dynamodb?.SequenceNumber as string))
  const place = numbers.findIndex(own => (isAfter ? own > wanted : own >= wanted))
  // a record that is forgotten is no place to go on from, though the one after it is there
  if (isAfter && trimmed > 0 && wanted <= (numbers[trimmed - 1] as bigint)) return -1
  return place === -1 ? records.length : place
}

/** The record as it is on the wire: without its stream, and with the identity in the API's own spelling. */
function toWire({ record: { eventSourceARN: _, userIdentity, ...record } }: Kept): object {
  const identity = userIdentity as { readonly type: string; readonly principalId: string } | undefined
  if (identity === undefined) return record
  return { ...record, userIdentity: { Type: identity.type, PrincipalId: identity.principalId } }
}

/** What `findStreams` finds of the table. */
export const STREAMS = { exists: true, keys: ['order_id'], latest: STREAM_ARN, readable: [STREAM_ARN] } as const
