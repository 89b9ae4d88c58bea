/**
 * From an object that is there to its lock: S3's event, EventBridge, the queue, and the real function. S3 user guide,
 * "Using EventBridge" (at least once, mostly in seconds); EventBridge user guide, "How EventBridge retries delivering
 * events" (24 hours and 185 times, then the event is dropped and counted as a failed invocation); SQS developer guide,
 * "Standard queues" (at least once, in any order), "Dead-letter queues" (a receipt of which nobody heard counts too),
 * "ApproximateAgeOfOldestMessage" (a message that was received three times is passed over).
 */
import { createLocker, type LockEvent, type RetentionRule } from '../functions/lock-objects.js'
import { EVIDENCE_PREFIXES } from '../transform/layout.js'
import type { SimulatedBucket, StoredVersion } from './bucket.js'
import { invoke, type SimulatedFunction } from './lambda.js'
import { Gauge } from './metrics.js'
import { s3ClientOf } from './s3-client.js'
import { MINUTE_MS } from './times.js'
import type { World } from './world.js'

const DAY_MS = 24 * 60 * MINUTE_MS

/** As `infra/lock-function.ts` has them. */
const TIMEOUT_MS = MINUTE_MS
const INVISIBLE_MS = 6 * MINUTE_MS
const MOST_RECEIPTS = 20

const MOST_ATTEMPTS = 185
const LONGEST_WAIT_MS = 8 * MINUTE_MS
/** Receipts after which a message's age is told no more. */
const TOLD_RECEIPTS = 3

interface Message {
  readonly body: string
  readonly sentMs: number
  receipts: number
}

/** An event that came to no lock. */
export interface Unlocked {
  readonly event: string
  /** Who gave it up. */
  readonly by: 'eventbridge' | 'sqs'
  /** Milliseconds since 1970. */
  readonly atMs: number
}

/** Has the objects of a bucket locked as they are written. */
export class LockEvents {
  /** Objects that were not locked, and will not be by themselves. */
  readonly unlocked: Unlocked[] = []
  private readonly waiting = new Set<Message>()
  private readonly gauge: Gauge
  private readonly locker: SimulatedFunction<LockEvent, void>

  constructor(
    private readonly world: World,
    bucket: SimulatedBucket,
    rule: RetentionRule,
  ) {
    this.locker = {
      name: 'locker',
      timeoutMs: TIMEOUT_MS,
      run: (event, { process }) => createLocker(s3ClientOf(process, [bucket]), rule)(event),
    }
    this.gauge = new Gauge(
      world.scheduler,
      () => this.waiting.size > 0,
      () => this.measure(),
    )
    bucket.onCreated = (key, version) => {
      if (EVIDENCE_PREFIXES.some(prefix => key.startsWith(prefix))) this.tell(eventOf(bucket.name, key, version))
    }
  }

  private tell(event: string): void {
    const { scheduler, faults, dice } = this.world
    for (let left = faults.strike('event-twice') ? 2 : 1; left > 0; left--) {
      const late = faults.strike('event-late') ? dice.between(MINUTE_MS, 30 * MINUTE_MS) : 0
      scheduler.after(dice.between(200, 3000) + late, () => void this.send(event))
    }
  }

  /** EventBridge puts an event into the queue, or drops it after a day. */
  private async send(event: string): Promise<void> {
    const { scheduler, faults, dice, metrics, story } = this.world
    const since = scheduler.now
    for (let attempt = 1; faults.strike('queue-refuses'); attempt++) {
      if (attempt > MOST_ATTEMPTS || scheduler.now - since > DAY_MS) {
        metrics.put('Events FailedInvocations', 1)
        this.unlocked.push({ event, by: 'eventbridge', atMs: scheduler.now })
        story.tell('eventbridge', `drops ${event}`)
        return
      }
      await scheduler.sleep((0.5 + dice.random() / 2) * Math.min(LONGEST_WAIT_MS, 1000 * 2 ** attempt))
    }
    const message = { body: event, sentMs: scheduler.now, receipts: 0 }
    this.waiting.add(message)
    this.gauge.start()
    void this.receive(message)
  }

  /** Lambda receives a message again and again, until it is done with, or was received too often. */
  private async receive(message: Message): Promise<void> {
    const { scheduler, faults, dice, story } = this.world
    for (;;) {
      await scheduler.sleep(dice.between(10, 2000))
      if (message.receipts === MOST_RECEIPTS) return this.giveUp(message)
      message.receipts++
      const visible = scheduler.now + INVISIBLE_MS
      if (faults.strike('message-unheard')) story.tell('sqs', 'counts a receipt of which nobody heard')
      else if (await this.call(message)) break
      await scheduler.sleep(visible - scheduler.now)
    }
    this.waiting.delete(message)
  }

  /** True where the message is done with. */
  private async call({ body }: Message): Promise<boolean> {
    try {
      await invoke(this.world, this.locker, { Records: [{ body }] })
      // what was deleted may come once more all the same
      return !this.world.faults.strike('message-twice')
    } catch {
      return false
    }
  }

  private giveUp(message: Message): void {
    const { scheduler, metrics, story } = this.world
    this.waiting.delete(message)
    this.unlocked.push({ event: message.body, by: 'sqs', atMs: scheduler.now })
    const failed = this.unlocked.filter(({ by }) => by === 'sqs')
    metrics.put('sqs failed ApproximateNumberOfMessagesVisible', failed.length)
    story.tell('sqs', `gives up ${message.body}`)
  }

  private measure(): void {
    const { scheduler, metrics } = this.world
    if (this.waiting.size === 0) return
    const told = [...this.waiting].filter(({ receipts }) => receipts < TOLD_RECEIPTS)
    const oldest = Math.min(scheduler.now, ...told.map(({ sentMs }) => sentMs))
    metrics.put('sqs waiting ApproximateAgeOfOldestMessage', (scheduler.now - oldest) / 1000)
  }
}

/** S3 user guide, "EventBridge event message structure": its time is when the object was complete, to the second. */
function eventOf(bucket: string, key: string, { versionId, bytes, etag, modifiedMs }: StoredVersion): string {
  return JSON.stringify({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    time: `${new Date(modifiedMs).toISOString().slice(0, 19)}Z`,
    detail: {
      bucket: { name: bucket },
      object: { key, size: bytes.length, etag: etag.replaceAll('"', ''), 'version-id': versionId },
    },
  })
}
