/**
 * A DynamoDB table and its stream. What both are like: developer guide, "Change data capture for DynamoDB Streams"
 * (each change once, in the order of its item; nothing of a write that changes nothing; 24 hours), "DynamoDB Streams
 * and TTL", API reference, StreamRecord (times rounded down to the second).
 */
import type { DynamoDBRecord } from 'aws-lambda'
import { canonicalJson } from '../transform/json.js'
import type { Attributes } from './workload.js'
import type { World } from './world.js'

/** A version that an item truly had: what the archive is held against. */
export interface Version {
  readonly sequence: string
  /** The value of the table's one key attribute. */
  readonly item: string
  /** Microseconds since 1970. Two changes of an item may have one. */
  readonly timeUs: number
  /** Canonical texts; null where there was no item. */
  readonly before: string | null
  readonly after: string | null
}

/** A change as the table tells of it, to either kind of stream. */
export interface Change {
  readonly sequence: string
  readonly item: string
  readonly timeUs: number
  readonly before: Attributes | undefined
  readonly after: Attributes | null
  readonly isTtl: boolean
}

/** A change as the stream keeps it. */
export interface Kept {
  readonly madeMs: number
  readonly record: DynamoDBRecord
}

/** A piece of the stream. What is older than a day is gone from it. */
export interface Shard {
  readonly id: string
  readonly parent: Shard | undefined
  /** Which items are in it: those of the places from `from` to below `to`. */
  readonly from: number
  readonly to: number
  /** All that it ever had; those before `trimmed` are gone, and nobody can read them. */
  readonly records: Kept[]
  trimmed: number
  /** When it was closed; undefined as long as changes come. */
  closedMs: number | undefined
  /** The sequence number that it begins with. */
  readonly starting: string
  /** Told when it has a record more, or is closed. */
  onNews: (() => void) | undefined
}

const RETENTION_MS = 24 * 3_600_000

const TABLE = 'Orders'
const REGION = 'us-east-1'
const TABLE_ARN = `arn:aws:dynamodb:${REGION}:123456789012:table/${TABLE}`
/** The stream of the one table of a world. */
export const STREAM_ARN = `${TABLE_ARN}/stream/2026-01-01T00:00:00.000`
const KEY = 'order_id'
const TTL_IDENTITY = { type: 'Service', principalId: 'dynamodb.amazonaws.com' }

/** A write of one item: what it becomes, or null where it is deleted. */
export interface Write {
  readonly item: string
  readonly after: Attributes | null
  readonly isTtl?: boolean
}

/** The table, every version that it ever had, and its stream. */
export class SimulatedTable {
  readonly versions: Version[] = []
  readonly shards: Shard[] = []
  /** Told of each new shard. */
  onShard: ((shard: Shard) => void) | undefined
  private readonly items = new Map<string, { readonly attributes: Attributes; readonly text: string }>()
  private sequence = 4_421_584_500_000_000_000n
  /** Takes the changes in the stream's place. @default - the table has a stream of its own */
  onChange: ((change: Change) => void) | undefined
  private timeUs = 0

  /** `tickUs` is how fine the times of its changes are told, in microseconds. */
  constructor(
    private readonly world: World,
    private readonly tickUs: 1 | 1000 = 1,
  ) {
    this.openShard(undefined, 0, PLACES / 2)
    this.openShard(undefined, PLACES / 2, PLACES)
  }

  /** What the table holds of an item. */
  read(item: string): Attributes | undefined {
    return this.items.get(item)?.attributes
  }

  /** All that it holds, in the order of a scan, which is none. */
  get all(): readonly Attributes[] {
    return [...this.items.values()].map(({ attributes }) => attributes)
  }

  /** Writes some items at once, as a transaction does: each has its own record, all have one time. */
  write(writes: readonly Write[]): void {
    if (this.world.faults.strike('shard-splits')) this.split()
    this.timeUs = this.nextTime()
    for (const write of writes) this.writeOne(write)
  }

  /** Mostly later than that of the write before, by however little. */
  private nextTime(): number {
    const { scheduler, faults, dice } = this.world
    const now = Math.floor(scheduler.now * 1000)
    const after = faults.strike('same-tick') ? this.timeUs : this.timeUs + dice.between(1, 300)
    return Math.floor(Math.max(now, after) / this.tickUs) * this.tickUs
  }

  private writeOne({ item, after, isTtl = false }: Write): void {
    // paid for whether it changes something or not, but for what time to live deletes
    if (!isTtl) this.world.metrics.put('DynamoDB ConsumedWriteCapacityUnits', 1)
    const old = this.items.get(item)
    const text = after === null ? null : canonicalJson(after)
    // "a PutItem or UpdateItem that changes no data writes no stream record"
    if ((old?.text ?? null) === text) return
    if (after === null) this.items.delete(item)
    else this.items.set(item, { attributes: after, text: text as string })
    this.sequence += BigInt(this.world.dice.between(1, 5000))
    const { timeUs } = this
    const sequence = String(this.sequence)
    this.versions.push({ sequence, item, timeUs, before: old?.text ?? null, after: text })
    this.world.story.detail('table', () => `has version ${sequence} of ${item}${text === null ? ', deleted' : ''}`)
    const change = { sequence, item, timeUs, before: old?.attributes, after, isTtl }
    if (this.onChange === undefined) this.append(item, { madeMs: Math.floor(timeUs / 1000), record: recordOf(change) })
    else this.onChange(change)
  }

  private append(item: string, kept: Kept): void {
    const place = placeOf(item)
    // by the item's key, so that the changes of an item follow each other
    const shard = this.shards.find(
      ({ closedMs, from, to }) => closedMs === undefined && from <= place && place < to,
    ) as Shard
    shard.records.push(kept)
    this.world.scheduler.after(RETENTION_MS, () => this.trim(shard))
    shard.onNews?.()
  }

  private trim(shard: Shard): void {
    shard.trimmed++
  }

  /** Closes a shard; what comes next is in one child, as every few hours, or in two. */
  private split(): void {
    const { dice } = this.world
    const shard = dice.pick(this.shards.filter(({ closedMs }) => closedMs === undefined))
    const { from, to } = shard
    shard.closedMs = this.world.scheduler.now
    const middle = dice.chance(0.5) && to - from > 1 ? Math.floor((from + to) / 2) : to
    this.openShard(shard, from, middle)
    if (middle < to) this.openShard(shard, middle, to)
    shard.onNews?.()
  }

  private openShard(parent: Shard | undefined, from: number, to: number): void {
    const id = `shardId-${String(this.shards.length).padStart(20, '0')}`
    const starting = String(++this.sequence)
    const shard: Shard = {
      id,
      parent,
      from,
      to,
      starting,
      records: [],
      trimmed: 0,
      closedMs: undefined,
      onNews: undefined,
    }
    this.shards.push(shard)
    this.onShard?.(shard)
  }
}

const PLACES = 256

function placeOf(item: string): number {
  let sum = 0
  for (let i = 0; i < item.length; i++) sum = (Math.imul(sum, 31) + item.charCodeAt(i)) >>> 0
  return sum % PLACES
}

function recordOf({ item, sequence, timeUs, before, after, isTtl }: Change): DynamoDBRecord {
  return {
    eventID: sequence.padStart(32, '0'),
    eventName: before === undefined ? 'INSERT' : after === null ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: REGION,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(timeUs / 1_000_000),
      Keys: { [KEY]: { S: item } },
      ...(after === null ? {} : { NewImage: after }),
      ...(before === undefined ? {} : { OldImage: before }),
      SequenceNumber: sequence,
      SizeBytes: 100,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    ...(isTtl && { userIdentity: TTL_IDENTITY }),
    eventSourceARN: STREAM_ARN,
  } as DynamoDBRecord
}
