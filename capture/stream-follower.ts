import type { StreamStatus, StreamViewType } from '@aws-sdk/client-dynamodb-streams'
import { Permits } from '../aws/permits.js'
import type { Checkpoint } from './checkpoint.js'
import { isMissed, mayHaveLost, startOf } from './gap.js'
import { Intake, type IntakeOptions } from './intake.js'
import { type Intervals, pauseAfter } from './intervals.js'
import { type ShardAnswer, ShardReader } from './shard-reader.js'
import { readUntil, type Shard } from './shards.js'
import type { StreamDescription } from './stream-calls.js'
import type { StreamSource } from './stream-source.js'
import { statusOf, type TailStatus } from './tail-status.js'

/** What following one stream takes. */
export interface FollowerOptions extends IntakeOptions {
  readonly source: StreamSource
  readonly untilCaughtUp: boolean
  /** Flushes and saves a checkpoint after so many milliseconds, or after so many bytes of records. */
  readonly flushInterval: number
  readonly flushSize: number
  readonly intervals: Intervals
  /** Milliseconds of a clock that is never put back, by which work is done in its time. */
  readonly elapsed: () => number
  readonly sleep: (ms: number) => Promise<unknown>
  /** Asks for an orderly end. */
  readonly stop: AbortSignal
  /** Ends the calls of `source` and `sleep`. */
  readonly halt: AbortController
  readonly onStatus: (status: TailStatus) => void
  readonly onViewType: (viewType: StreamViewType | undefined) => void
  /** Told what was found out about a stream, for people. */
  readonly note: (text: string) => void
}

/** Why following ended: nothing more for now, nothing more ever, or it was asked to. */
export type FollowerEnding = 'caught-up' | 'over' | 'stopped'

/** Calls at a time, over all shards; each may hold an answer of a megabyte. */
const CALLS_AT_ONCE = 8

/** DescribeStream may be behind: so often a child of a shard that has ended is looked for. */
const SUCCESSOR_LOOKS = 3

/** One shard that is being read. */
interface Following {
  readonly shard: Shard
  readonly reader: ShardReader
  /** Answers without records in a row. */
  empty: number
  /** Why records may be missing before the next one. */
  gap: string | undefined
}

/** Follows one stream: its shards side by side, a parent before its children, the new ones as they come. */
export class StreamFollower {
  readonly intake: Intake
  private readonly resumedFrom: Checkpoint['shards']
  private readonly startedAt: number
  private readonly calls = new Permits(CALLS_AT_ONCE)
  private readonly following = new Map<string, Following>()
  private readonly running = new Set<Promise<void>>()
  private status: StreamStatus | undefined
  private refreshAt = 0
  private successorLooks = 0
  private savedAt: number
  private failure: unknown
  private wake = () => {}

  constructor(private readonly options: FollowerOptions) {
    this.intake = new Intake(options)
    this.startedAt = options.now()
    this.savedAt = options.elapsed()
    this.resumedFrom = options.lineage.positions()
  }

  /** Follows until there is a reason to end, leaves everything that was read in the archive, and throws what went wrong. */
  async follow(): Promise<FollowerEnding> {
    const { stop } = this.options
    const onStop = () => {
      this.options.halt.abort()
      this.wake()
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
    const { stop, untilCaughtUp, elapsed, flushInterval, onStatus } = this.options
    if (!(await this.refresh())) return 'over'
    await this.findLostSuccessors()
    // from now on this is the stream that a later tail goes on with, should the table get another one
    await this.save(false)
    let confirmed = false
    for (;;) {
      this.begin()
      if (stop.aborted) return 'stopped'
      if (this.failure !== undefined) throw this.failure
      const settled = this.isSettled(untilCaughtUp)
      if (elapsed() >= this.refreshAt || (settled && !confirmed)) {
        if (!(await this.refresh())) return 'over'
        // only a listing made after everything was read shows that there is nothing else
        confirmed = settled && this.isSettled(untilCaughtUp)
      }
      if (confirmed && settled && !this.lacksSuccessor()) return this.isOver() ? 'over' : 'caught-up'
      if (elapsed() - this.savedAt >= flushInterval) await this.save(false)
      onStatus(this.describe())
      await this.rest()
    }
  }

  /** Lists the shards. False where the stream is no longer there. */
  private async refresh(): Promise<boolean> {
    const { source, streamArn, lineage, elapsed, intervals, onViewType } = this.options
    let description: StreamDescription
    try {
      description = await source.describe(streamArn)
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error
      await this.loseAll()
      return false
    }
    if (this.status === undefined) onViewType(description.viewType)
    this.status = description.status
    lineage.update(description.shards)
    const looks = this.lacksSuccessor() ? this.successorLooks++ : undefined
    this.refreshAt =
      elapsed() +
      Math.min(intervals.refresh, looks === undefined ? intervals.refresh : intervals.successor * 2 ** looks)
    return true
  }

  /** Starts reading the shards whose turn it is. */
  private begin(): void {
    const { lineage, source, streamArn, now } = this.options
    const resumed = lineage.all.filter(({ id, state }) => state === 'reading' && !this.following.has(id))
    for (const shard of [...resumed, ...lineage.ready()]) {
      const parent = lineage.parentOf(shard)
      // at the moment up to which its parent was read, a shard that came after held nothing
      if (parent !== undefined) shard.emptyAt ??= readUntil(parent)
      shard.state = 'reading'
      const reader = new ShardReader(source, streamArn, shard.id, startOf(shard, now()))
      const following: Following = { shard, reader, empty: 0, gap: undefined }
      this.following.set(shard.id, following)
      const reading = this.read(following)
        .catch((error: unknown) => {
          this.failure ??= error
        })
        .finally(() => {
          this.running.delete(reading)
          this.wake()
        })
      this.running.add(reading)
    }
  }

  private async read(following: Following): Promise<void> {
    const { now, sleep, halt, intervals } = this.options
    while (!halt.signal.aborted) {
      const atEnd = await this.calls.use(async () => {
        const askedAt = now()
        const answer = await following.reader.read()
        return this.intake.inOrder(() => this.take(following, answer, askedAt))
      })
      if (atEnd) return
      if (this.intake.waiting >= this.options.flushSize) await this.save(false)
      if (following.empty > 0) await sleep(pauseAfter(following.empty, intervals))
    }
  }

  /** Takes one answer over; true where it was the shard's last. */
  private async take(following: Following, answer: ShardAnswer, askedAt: number): Promise<boolean> {
    const { shard } = following
    const { now } = this.options
    if (answer.kind === 'gone') {
      if (isMissed(shard))
        await this.intake.recordGap(shard, undefined, following.gap ?? 'shard is no longer in the stream')
      // the gap ends with what is younger than the retention: of its children nothing else can be missed
      Object.assign(shard, { after: null, madeAt: null, emptyAt: null })
      return this.end(shard)
    }
    if (answer.kind === 'trimmed') {
      if (mayHaveLost(shard, now())) following.gap = 'records after this place are no longer in the stream'
      else this.options.note(`shard ${shard.id} begins again with the oldest record that it has, nothing was lost`)
      return false
    }
    const { records, atEnd } = answer
    following.empty = records.length === 0 ? following.empty + 1 : 0
    const isEmpty = following.empty >= this.options.intervals.emptyAnswers
    if (following.gap !== undefined && (records.length > 0 || atEnd || isEmpty)) {
      await this.intake.recordGap(shard, records[0], following.gap)
      following.gap = undefined
    }
    for (const record of records) await this.intake.put(shard, record)
    if (isEmpty) shard.emptyAt = askedAt
    return atEnd && this.end(shard)
  }

  private end(shard: Shard): true {
    shard.state = 'ended'
    this.following.delete(shard.id)
    this.refreshAt = 0
    this.successorLooks = 0
    return true
  }

  /** Of what was read to its end before the last stop, the successors may have come and gone since. */
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

  /** True when every shard is at its end, or at what is its end for now. */
  private isSettled(forNow: boolean): boolean {
    const { lineage } = this.options
    return lineage.all.every(({ id, state, madeAt }) => {
      if (state === 'ended') return true
      const following = this.following.get(id)
      if (!forNow || following === undefined || state === 'waiting') return false
      // on a busy table a shard is never empty, but what was there at the start has been read
      return following.empty >= this.options.intervals.emptyAnswers || (madeAt ?? 0) > this.startedAt + 1000
    })
  }

  /** True while every shard that is read has nothing more. */
  private isAtEnd(): boolean {
    const { lineage, intervals } = this.options
    return lineage.all.every(
      ({ id, state }) => state === 'ended' || (this.following.get(id)?.empty ?? 0) >= intervals.emptyAnswers,
    )
  }

  private isOver(): boolean {
    return this.status === 'DISABLED' && this.options.lineage.all.every(({ state }) => state === 'ended')
  }

  /** True while a shard has ended and its child may still be missing from the listing. */
  private lacksSuccessor(): boolean {
    if (this.status === 'DISABLED') return false
    const { lineage, untilCaughtUp } = this.options
    const all = lineage.all
    // without an open shard an enabled stream is not complete
    if (all.every(({ state }) => state === 'ended') && !untilCaughtUp) return true
    return this.successorLooks < SUCCESSOR_LOOKS && all.some(shard => shard.state === 'ended' && lineage.isLast(shard))
  }

  private async save(finished: boolean): Promise<void> {
    await this.intake.save(finished)
    this.savedAt = this.options.elapsed()
  }

  private async endReading(): Promise<void> {
    this.options.halt.abort()
    await Promise.all(this.running)
  }

  private rest(): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, this.options.intervals.tick)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private describe(): TailStatus {
    const { lineage, streamArn: stream, now } = this.options
    const { records, newest, checkpoint } = this.intake
    const kept = checkpoint?.shards ?? this.resumedFrom
    return statusOf({ stream, records, newest }, lineage, kept, this.isAtEnd(), now())
  }
}
