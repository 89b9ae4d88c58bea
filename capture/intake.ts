import { Permits } from '../aws/permits.js'
import type { GapFact, StreamChangedFact } from '../transform/fact.js'
import { gapOf } from './gap.js'
import { type LambdaRecord, madeAt } from './lambda-record.js'
import type { Lineage, Shard } from './shards.js'
import type { TailCheckpoint } from './tail-checkpoint.js'

/** Where a tail leaves what it read. One call at a time, and none after one that failed. */
export interface TailSink {
  put(record: LambdaRecord): Promise<void>
  /** When it has returned, everything that was put is durable. */
  flush(): Promise<void>
  /** Keeps a fact for good; one that is kept already is not kept twice. */
  addFact(fact: GapFact | StreamChangedFact): Promise<void>
  /** Remembers how far the stream is in the archive. */
  save(checkpoint: TailCheckpoint): Promise<void>
}

/** Of which stream records are taken, and where to. */
export interface IntakeOptions {
  readonly table: string
  readonly streamArn: string
  readonly lineage: Lineage
  readonly sink: TailSink
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onGap: (gap: GapFact) => void
}

/** For what a record has beside its images. */
const RECORD_BYTES = 500

/** Takes the records of a stream into a sink, in order, and remembers no more than is durable there. */
export class Intake {
  /** Records taken. */
  records = 0
  /** When the newest change that was taken was made, in milliseconds since 1970. */
  newest: number | null = null
  /** Bytes of records that wait for a flush, about. */
  waiting = 0
  /** The last that was saved. */
  checkpoint: TailCheckpoint | undefined
  /** True after a failure of the sink: nothing is known of what it holds, so nothing more is promised. */
  failed = false
  private readonly order = new Permits(1)
  private recordedUs = 0

  constructor(private readonly options: IntakeOptions) {}

  /** Does a piece of work while nothing else is taken and nothing is saved. */
  inOrder<T>(work: () => Promise<T>): Promise<T> {
    return this.order.use(work)
  }

  /** Takes one record of a shard; only within `inOrder`. */
  async put(shard: Shard, record: LambdaRecord): Promise<void> {
    await this.toSink(sink => sink.put(record))
    shard.after = record.dynamodb.SequenceNumber
    shard.madeAt = madeAt(record) ?? shard.madeAt
    if (shard.madeAt !== null) this.newest = Math.max(shard.madeAt, this.newest ?? shard.madeAt)
    this.records++
    const size = record.dynamodb.SizeBytes
    this.waiting += RECORD_BYTES + (typeof size === 'number' ? size : 0)
  }

  /** Keeps a gap in a shard as a fact, which ends before `first`; within `inOrder`, or while nothing is read. */
  async recordGap(shard: Shard, first: LambdaRecord | undefined, reason: string): Promise<void> {
    const { table, streamArn, now, onGap } = this.options
    // two facts of one moment would have one name
    this.recordedUs = Math.max(now() * 1000, this.recordedUs + 1)
    const gap = gapOf({ table, source: streamArn, shard }, first, now(), this.recordedUs, reason)
    await this.toSink(sink => sink.addFact(gap))
    onGap(gap)
  }

  /** Makes everything that was taken durable, then remembers how far that is. */
  async save(finished: boolean): Promise<void> {
    await this.inOrder(() =>
      this.toSink(async sink => {
        const { table, streamArn: stream, lineage, now } = this.options
        const shards = lineage.positions()
        if (this.waiting > 0) await sink.flush()
        this.waiting = 0
        if (lineage.isDue && !finished) return
        const checkpoint = { table, stream, finished, saved: now(), shards }
        await sink.save(checkpoint)
        this.checkpoint = checkpoint
      }),
    )
  }

  private async toSink<T>(work: (sink: TailSink) => Promise<T>): Promise<T> {
    if (this.failed) throw new Error('sink has failed before')
    try {
      return await work(this.options.sink)
    } catch (error) {
      this.failed = true
      throw error
    }
  }
}
