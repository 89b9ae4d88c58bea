/**
 * Lambda's event source mapping of a DynamoDB stream, with the settings of `infra/forwarder-function.ts`. Developer
 * guide, "Lambda parameters for DynamoDB event source mappings", "Error handling", "Reporting batch item failures": in
 * each shard one batch after the other; a failed batch is cut in two, one with a reported failure at it; without end of
 * attempts until the records are a day old; then an S3 destination gets the whole batch.
 */
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import { GIVEN_UP_PREFIX } from '../transform/layout.js'
import type { SimulatedBucket } from './bucket.js'
import { invoke, type SimulatedFunction } from './lambda.js'
import type { Kept, Shard, SimulatedTable } from './table.js'
import { DAY_MS, HOUR_MS, MINUTE_MS } from './times.js'
import type { World } from './world.js'

export interface MappingOptions {
  readonly forwarder: SimulatedFunction<DynamoDBStreamEvent, DynamoDBBatchResponse>
  /** Where Lambda writes what it gives up. */
  readonly givenUp: SimulatedBucket
  readonly batchSize: number
}

const WINDOW_MS = 5000
const MAX_AGE_MS = DAY_MS
const LONGEST_WAIT_MS = 60_000
/** And disabled for so long at once. */
export const LONGEST_PAUSE_MS = HOUR_MS / 2

/** Reads the stream of a table from its oldest record on, for as long as the world lasts. */
export class SimulatedMapping {
  /** Disabled, in all of its shards: nothing is read, and nobody called. */
  private pausedUntil = 0

  constructor(
    private readonly world: World,
    table: SimulatedTable,
    private readonly options: MappingOptions,
  ) {
    const done = new Map<Shard, Promise<void>>()
    const follow = (shard: Shard) => {
      // a child is read when its parent is read to its end
      const parent = shard.parent === undefined ? Promise.resolve() : (done.get(shard.parent) ?? Promise.resolve())
      done.set(
        shard,
        parent.then(() => this.readShard(shard)),
      )
    }
    for (const shard of table.shards) follow(shard)
    table.onShard = follow
  }

  private async readShard(shard: Shard): Promise<void> {
    const { scheduler, faults, dice, metrics, story, losses } = this.world
    for (let place = 0; ; ) {
      if (place < shard.trimmed) {
        // the mapping goes on with the oldest that is left, and says nothing: what is in `dropped` nobody counts
        story.tell('mapping', `finds that ${shard.id} has forgotten ${shard.trimmed - place} records`)
        const gone = shard.records.slice(place, shard.trimmed)
        story.detail('mapping', () => `misses ${gone.map(sequenceOf).join(' ')}, which are forgotten`)
        for (const { record, madeMs } of gone)
          losses.push({ kind: 'forgotten', texts: [JSON.stringify(record)], takenMs: madeMs, lostMs: madeMs + DAY_MS })
        place = shard.trimmed
      }
      if (place === shard.records.length) {
        if (shard.closedMs !== undefined) return
        await new Promise<void>(resolve => {
          shard.onNews = resolve
        })
        await scheduler.sleep(dice.between(250, WINDOW_MS))
        continue
      }
      if (faults.strike('mapping-pauses')) this.pausedUntil = scheduler.now + dice.between(MINUTE_MS, LONGEST_PAUSE_MS)
      if (scheduler.now < this.pausedUntil) {
        await scheduler.sleep(this.pausedUntil - scheduler.now)
        continue
      }
      const batch = shard.records.slice(place, place + this.options.batchSize)
      metrics.put('Lambda mapping PolledEventCount', batch.length)
      await this.deliver(shard, batch)
      place += batch.length
    }
  }

  /** Until every record of it is acknowledged, or too old and given up. */
  private async deliver(shard: Shard, batch: readonly Kept[]): Promise<void> {
    const { scheduler, dice } = this.world
    const waiting: (readonly Kept[])[] = [batch]
    let failures = 0
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      const isOld = ({ madeMs }: Kept) => scheduler.now - madeMs > MAX_AGE_MS
      const old = piece.filter(isOld)
      const young = piece.filter(kept => !isOld(kept))
      if (old.length > 0) await this.giveUp(shard, old)
      if (young.length === 0) continue
      const left = await this.call(young)
      if (left.length === 0) {
        failures = 0
        continue
      }
      waiting.unshift(...left)
      failures++
      await scheduler.sleep(dice.random() * Math.min(LONGEST_WAIT_MS, 1000 * 2 ** Math.min(failures, 8)))
    }
  }

  /** One call of the forwarder: what is to be sent again, in pieces. */
  private async call(piece: readonly Kept[]): Promise<readonly (readonly Kept[])[]> {
    const { scheduler, metrics, story } = this.world
    const age = scheduler.now - (piece.at(-1) as Kept).madeMs
    metrics.put('Lambda forwarder IteratorAge', age)
    story.tell('mapping', `calls the forwarder with ${piece.length} records from ${sequenceOf(piece[0] as Kept)} on`)
    try {
      const Records = piece.map(({ record }) => record)
      const { batchItemFailures } = await invoke(this.world, this.options.forwarder, { Records })
      const accepted = (pieces: readonly Kept[]) => `believes ${pieces.map(sequenceOf).join(' ')} to be done`
      const failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
      if (failed.length === 0) {
        story.detail('mapping', () => accepted(piece))
        return []
      }
      const first = piece.findIndex(kept => failed.includes(sequenceOf(kept)))
      metrics.put('world failures told to the mapping', 1)
      story.tell('mapping', `is told of a failure at ${failed[0]}`)
      story.detail('mapping', () => accepted(piece.slice(0, Math.max(first, 0))))
      // an identifier that is none of the batch counts as a failure of all of it
      return [piece.slice(Math.max(first, 0))]
    } catch {
      const half = Math.ceil(piece.length / 2)
      return piece.length === 1 ? [piece] : [piece.slice(0, half), piece.slice(half)]
    }
  }

  private async giveUp(shard: Shard, old: readonly Kept[]): Promise<void> {
    const { scheduler, faults, metrics, story, losses, dice } = this.world
    const time = new Date(scheduler.now).toISOString()
    const body = {
      requestContext: { condition: 'RecordAgeExceeded' },
      version: '1.0',
      timestamp: time,
      DDBStreamBatchInfo: {
        shardId: shard.id,
        batchSize: old.length,
        streamArn: old[0]?.record.eventSourceARN,
        approximateArrivalOfFirstRecord: new Date((old[0] as Kept).madeMs).toISOString(),
      },
      payload: JSON.stringify({ Records: old.map(({ record }) => record) }),
    }
    story.tell('mapping', `gives up ${old.length} records from ${sequenceOf(old[0] as Kept)} on`)
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (!faults.strike('s3-refuses')) {
        const day = time.slice(0, 10).replaceAll('-', '/')
        const key = `${GIVEN_UP_PREFIX}mapping/${shard.id}/${day}/${dice.hex(8)}`
        this.options.givenUp.put(key, Buffer.from(JSON.stringify(body)))
        metrics.put('Lambda mapping OnFailureDestinationDeliveredEventCount', old.length)
        return
      }
      await scheduler.sleep(20_000)
    }
    metrics.put('Lambda forwarder DestinationDeliveryFailures', 1)
    metrics.put('Lambda mapping DroppedEventCount', old.length)
    const texts = old.map(({ record }) => JSON.stringify(record))
    losses.push({ kind: 'dropped', texts, takenMs: (old[0] as Kept).madeMs, lostMs: scheduler.now })
    story.tell('mapping', `drops ${old.length} records that it could not keep`)
  }
}

function sequenceOf({ record }: Kept): string {
  return record.dynamodb?.SequenceNumber as string
}
