/**
 * From a table to Firehose by Kinesis Data Streams. DynamoDB developer guide, "Kinesis Data Streams and DynamoDB" (more
 * than once and in any order, binary values encoded twice), "Using shards and metrics" (what is too large is skipped and
 * counted; what Kinesis turns away is tried again for 168 hours, longer than anything lasts here); Firehose developer
 * guide, "Configure source settings" (it reads as long as the stream keeps records, a week).
 */
import type { AttributeValue } from 'aws-lambda'
import type { SimulatedFirehose } from './firehose.js'
import { Gauge } from './metrics.js'
import type { Change, SimulatedTable } from './table.js'
import { MINUTE_MS } from './times.js'
import type { Attributes } from './workload.js'
import type { World } from './world.js'

/** Finer times are the constructs' own; a stream of somebody else may have the others. */
export type Precision = 'MICROSECOND' | 'MILLISECOND'

/** Carries the changes of a table into Firehose. */
export class SimulatedKinesis {
  /** When each change was made that DynamoDB has not written yet, and each that Firehose has not read. */
  private readonly unwritten = new Set<{ readonly sinceMs: number }>()
  private readonly unread = new Set<{ readonly sinceMs: number }>()
  private readsAgainMs = 0
  private readonly gauge: Gauge

  constructor(
    private readonly world: World,
    table: SimulatedTable,
    private readonly options: {
      readonly firehose: SimulatedFirehose
      readonly precision: Precision
      /** A record's bytes at most; 1 MB on AWS. */
      readonly recordBytes: number
    },
  ) {
    table.onChange = change => void this.replicate(change)
    const isBusy = () => this.unwritten.size + this.unread.size > 0
    this.gauge = new Gauge(world.scheduler, isBusy, () => this.measure())
  }

  private async replicate(change: Change): Promise<void> {
    const { scheduler, faults, dice, metrics, story, losses } = this.world
    const id = `${dice.hex(4)}-${change.sequence}`
    const document = documentOf(change, id, this.options.precision)
    const waiting = { sinceMs: scheduler.now }
    this.unwritten.add(waiting)
    this.gauge.start()
    await scheduler.sleep(dice.between(50, 2000))
    if (faults.strike('replication-slow')) await scheduler.sleep(dice.between(MINUTE_MS, 4 * 60 * MINUTE_MS))
    for (let attempt = 1; faults.strike('kinesis-throttles'); attempt++) {
      metrics.put('DynamoDB ThrottledPutRecordCount', 1)
      await scheduler.sleep((0.5 + dice.random()) * Math.min(5 * MINUTE_MS, 500 * 2 ** attempt))
    }
    this.unwritten.delete(waiting)
    if (document.length > this.options.recordBytes) {
      metrics.put('DynamoDB FailedToReplicateRecordCount', 1)
      story.tell('dynamodb', `skips ${change.sequence}, whose record has ${document.length} bytes`)
      losses.push({ kind: 'skipped', texts: [document], takenMs: waiting.sinceMs, lostMs: scheduler.now })
      return
    }
    void this.read(document)
    if (!faults.strike('replication-twice')) return
    await scheduler.sleep(dice.between(0, 10 * MINUTE_MS))
    // whether a repeat has the same eventID is said nowhere
    const again = dice.chance(0.5) ? id : `${dice.hex(4)}-${change.sequence}`
    void this.read(documentOf(change, again, this.options.precision))
  }

  /** Firehose reads what is in the stream, sometimes late, never too late. */
  private async read(document: string): Promise<void> {
    const { scheduler, faults, dice } = this.world
    const waiting = { sinceMs: scheduler.now }
    this.unread.add(waiting)
    this.gauge.start()
    await scheduler.sleep(dice.between(200, 2000))
    if (faults.strike('kinesis-behind')) this.readsAgainMs = scheduler.now + dice.between(MINUTE_MS, 180 * MINUTE_MS)
    while (scheduler.now < this.readsAgainMs) await scheduler.sleep(this.readsAgainMs - scheduler.now)
    this.unread.delete(waiting)
    this.options.firehose.take(Buffer.from(document))
  }

  private measure(): void {
    const { metrics } = this.world
    metrics.put('DynamoDB AgeOfOldestUnreplicatedRecord', this.ageOf(this.unwritten))
    metrics.put('Firehose KinesisMillisBehindLatest', this.ageOf(this.unread))
  }

  /** Milliseconds since the oldest; they are in the order in which they came. */
  private ageOf(waiting: ReadonlySet<{ readonly sinceMs: number }>): number {
    const [oldest] = waiting
    return oldest === undefined ? 0 : this.world.scheduler.now - oldest.sinceMs
  }
}

/** A change as it is in Kinesis: a document without a sequence number, and a time that is finer. */
function documentOf({ item, timeUs, before, after, isTtl }: Change, eventID: string, precision: Precision): string {
  const isMicro = precision === 'MICROSECOND'
  return JSON.stringify({
    awsRegion: 'us-east-1',
    eventID,
    eventName: before === undefined ? 'INSERT' : after === null ? 'REMOVE' : 'MODIFY',
    userIdentity: isTtl ? { type: 'Service', principalId: 'dynamodb.amazonaws.com' } : null,
    recordFormat: 'application/json',
    tableName: 'Orders',
    dynamodb: {
      ApproximateCreationDateTime: isMicro ? timeUs : timeUs / 1000,
      ...(isMicro && { ApproximateCreationDateTimePrecision: precision }),
      Keys: { order_id: { S: item } },
      ...(after === null ? {} : { NewImage: encodedTwice(after) }),
      ...(before === undefined ? {} : { OldImage: encodedTwice(before) }),
      SizeBytes: 100,
    },
    eventSource: 'aws:dynamodb',
  })
}

function encodedTwice(image: Attributes): Attributes {
  const once = Object.entries(image)
  return Object.fromEntries(
    once.map(([name, value]): [string, AttributeValue] => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  )
}
