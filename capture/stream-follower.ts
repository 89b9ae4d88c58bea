import { setMaxListeners } from 'node:events'
import type { StreamStatus, StreamViewType } from '@aws-sdk/client-dynamodb-streams'
import { Permits } from '../aws/permits.js'
import { isMissed, startOf } from './gap.js'
import { Intake, type IntakeOptions } from './intake.js'
import { type Intervals, pauseAfter } from './intervals.js'
import { ShardReader } from './shard-reader.js'
import { BEGUN, type Effect, next, type Reading } from './shard-reading.js'
import { readUntil, type Shard } from './shards.js'
import type { StreamDescription } from './stream-calls.js'
import { isAtEnd, isOver, isSettled, lacksSuccessor, type StreamProgress } from './stream-progress.js'
import type { StreamSource } from './stream-source.js'
import type { TailCheckpoint } from './tail-checkpoint.js'
import { statusOf, type TailStatus } from './tail-status.js'

/** What following one stream takes. */
export interface FollowerOptions extends IntakeOptions {
  /** The stream's calls, which all end with the signal. */
  readonly connect: (signal: AbortSignal) => StreamSource
  readonly untilCaughtUp: boolean
  /** Flushes and saves a checkpoint after so many milliseconds, or after so many bytes of records. */
  readonly flushInterval: number
  readonly flushSize: number
  readonly intervals: Intervals
  /** Milliseconds of a clock that is never put back, by which work is done in its time. */
  readonly elapsed: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** Asks for an orderly end. */
  readonly stop: AbortSignal
  readonly onStatus: (status: TailStatus) => void
  readonly onViewType: (viewType: StreamViewType | undefined) => void
  /** Called with what was found out about a stream, as a sentence for people. */
  readonly note: (text: string) => void
}

/** Why following ended: nothing more for now, nothing more ever, or it was asked to. */
export type FollowerEnding = 'caught-up' | 'over' | 'stopped'

/** Calls at a time, over all shards; each may hold an answer of a megabyte. */
const CALLS_AT_ONCE = 8

/** Follows one stream: its shards side by side, a parent before its children, the new ones as they come. */
export class StreamFollower {
  readonly intake: Intake
  private readonly resumedFrom: TailCheckpoint['shards']
  private readonly startedAt: number
  private readonly calls = new Permits(CALLS_AT_ONCE)
  private readonly readings = new Map<string, Reading>()
  private readonly running = new Set<Promise<void>>()
  private readonly halt = new AbortController()
  private readonly bell: Bell
  private readonly source: StreamSource
  private status: StreamStatus | undefined
  private refreshAt = 0
  private successorLooks = 0
  private savedAt: number
  private failure: unknown

  constructor(private readonly options: FollowerOptions) {
    this.intake = new Intake(options)
    this.bell = new Bell(options.sleep)
    this.source = options.connect(this.halt.signal)
    // every shard listens for the end, however many there are
    setMaxListeners(0, this.halt.signal)
    this.startedAt = options.now()
    this.savedAt = options.elapsed()
    this.resumedFrom = options.lineage.positions()
  }

  /**
   * Follows until there is a reason to end, leaves everything that was read in the archive, and throws what went wrong.
   */
  async follow(): Promise<FollowerEnding> {
    const { stop } = this.options
    const onStop = () => {
      this.halt.abort()
      this.bell.ring()
    }
    stop.addEventListener('abort', onStop)
    try {
      const ending = await this.untilEnding()
      await this.endReading()
      await this.save(ending === 'over')
      this.options.onStatus(this.describe())
      return ending
    } catch (error) {
      await this.endReading()
      // what was read before is not to be read again
      if (!this.intake.failed) await this.save(false)
      // calls that were ended by the stop fail, which is as it should be
      if (stop.aborted && !this.intake.failed) return 'stopped'
      throw error
    } finally {
      stop.removeEventListener('abort', onStop)
    }
  }

  private async untilEnding(): Promise<FollowerEnding> {
    const { stop, elapsed, flushInterval, intervals, onStatus } = this.options
    if (!(await this.refresh())) return 'over'
    await this.findLostSuccessors()
    // a later tail goes on with this stream, even if the table gets another one
    await this.save(false)
    let confirmed = false
    for (;;) {
      this.begin()
      if (stop.aborted) return 'stopped'
      if (this.failure !== undefined) throw this.failure
      const settled = isSettled(this.progress)
      if (elapsed() >= this.refreshAt || (settled && !confirmed)) {
        if (!(await this.refresh())) return 'over'
        // only a listing made after everything was read shows that there is nothing else
        confirmed = settled && isSettled(this.progress)
      }
      if (confirmed && settled && !lacksSuccessor(this.progress)) return isOver(this.progress) ? 'over' : 'caught-up'
      if (elapsed() - this.savedAt >= flushInterval) await this.save(false)
      onStatus(this.describe())
      await this.bell.wait(intervals.tick)
    }
  }

  /** Lists the shards. False where the stream is no longer there. */
  private async refresh(): Promise<boolean> {
    const { streamArn, lineage, elapsed, intervals, onViewType } = this.options
    let description: StreamDescription
    try {
      description = await this.source.describe(streamArn)
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error
      await this.loseAll()
      return false
    }
    if (this.status === undefined) onViewType(description.viewType)
    this.status = description.status
    lineage.update(description.shards)
    const looks = lacksSuccessor(this.progress) ? this.successorLooks++ : undefined
    this.refreshAt =
      elapsed() +
      Math.min(intervals.refresh, looks === undefined ? intervals.refresh : intervals.successor * 2 ** looks)
    return true
  }

  /** Starts reading the shards whose turn it is. */
  private begin(): void {
    const { lineage, streamArn, now } = this.options
    const resumed = lineage.all.filter(({ id, state }) => state === 'reading' && !this.readings.has(id))
    for (const shard of [...resumed, ...lineage.ready()]) {
      const parent = lineage.parentOf(shard)
      // at the moment up to which its parent was read, a shard that came after held nothing
      if (parent !== undefined) shard.emptyAt ??= readUntil(parent)
      shard.state = 'reading'
      this.readings.set(shard.id, BEGUN)
      const reading = this.read(shard, new ShardReader(this.source, streamArn, shard.id, startOf(shard, now())))
        .catch((error: unknown) => {
          this.failure ??= error
        })
        .finally(() => {
          this.running.delete(reading)
          this.bell.ring()
        })
      this.running.add(reading)
    }
  }

  private async read(shard: Shard, reader: ShardReader): Promise<void> {
    const { now, sleep, intervals, flushSize } = this.options
    const { signal } = this.halt
    while (!signal.aborted) {
      await this.calls.use(async () => {
        const askedAt = now()
        const answer = await reader.read()
        await this.intake.inOrder(async () => {
          const moment = { askedAt, now: now(), emptyAnswers: intervals.emptyAnswers }
          const { reading, effects } = next(this.readings.get(shard.id) ?? BEGUN, shard, answer, moment)
          this.readings.set(shard.id, reading)
          for (const effect of effects) await this.perform(shard, effect)
        })
      })
      if (shard.state === 'ended') return
      if (this.intake.waiting >= flushSize) await this.save(false)
      const empty = this.readings.get(shard.id)?.empty ?? 0
      if (empty > 0) await sleep(pauseAfter(empty, intervals), signal)
    }
  }

  private async perform(shard: Shard, effect: Effect): Promise<void> {
    switch (effect.kind) {
      case 'gap':
        return this.intake.recordGap(shard, effect.first, effect.reason)
      case 'record':
        return this.intake.put(shard, effect.record)
      case 'position':
        Object.assign(shard, effect.position)
        return
      case 'note':
        return this.options.note(effect.text)
      case 'end':
        return this.end(shard, effect.wholeFrom)
    }
  }

  /** What comes after a shard is looked for at once. */
  private end(shard: Shard, wholeFrom: number | undefined): void {
    shard.state = 'ended'
    if (wholeFrom !== undefined) this.options.lineage.expectWhole(shard, wholeFrom)
    this.readings.delete(shard.id)
    this.refreshAt = 0
    this.successorLooks = 0
  }

  /** Successors of shards that were read to their end before the last stop may have come and gone since. */
  private async findLostSuccessors(): Promise<void> {
    const { lineage } = this.options
    for (const shard of lineage.withoutSuccessor()) {
      if (isMissed(shard))
        await this.intake.recordGap(shard, undefined, 'the shards after this one are no longer in the stream')
      lineage.forget(shard)
    }
  }

  /** The stream itself is gone, with all that was not read of it. */
  private async loseAll(): Promise<void> {
    await this.endReading()
    for (const shard of this.options.lineage.all) {
      const last = shard.state !== 'ended' || this.options.lineage.isLast(shard)
      if (last && isMissed(shard)) await this.intake.recordGap(shard, undefined, 'the stream is no longer there')
      shard.state = 'ended'
    }
  }

  private get progress(): StreamProgress {
    const { options, readings, status, successorLooks, startedAt } = this
    const { lineage, untilCaughtUp } = options
    const { emptyAnswers } = options.intervals
    return { lineage, readings, status, successorLooks, startedAt, emptyAnswers, untilCaughtUp }
  }

  private async save(finished: boolean): Promise<void> {
    await this.intake.save(finished)
    this.savedAt = this.options.elapsed()
  }

  private async endReading(): Promise<void> {
    this.halt.abort()
    await Promise.all(this.running)
  }

  private describe(): TailStatus {
    const { lineage, streamArn: stream, now } = this.options
    const { records, newest, checkpoint } = this.intake
    const kept = checkpoint?.shards ?? this.resumedFrom
    return statusOf({ stream, records, newest }, lineage, kept, isAtEnd(this.progress), now())
  }
}

/** A wait that ends early when somebody rings. */
class Bell {
  private rung = new AbortController()

  constructor(private readonly sleep: FollowerOptions['sleep']) {}

  async wait(ms: number): Promise<void> {
    this.rung = new AbortController()
    const { signal } = this.rung
    await this.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  ring(): void {
    this.rung.abort()
  }
}
