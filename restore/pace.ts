import { Attempts, type Patience, passes, patiently, TABLE_PATIENCE } from '../aws/patience.js'
import { Permits } from '../aws/permits.js'

/** So long a table is waited for without a single success, in milliseconds: its capacity takes minutes to grow. */
const PATIENCE_MS = 10 * 60_000

/** How a pace is set. */
export interface PaceOptions extends Pick<Patience, 'sleep' | 'after' | 'random'> {
  /** Calls at a time, while DynamoDB takes them. */
  readonly concurrency: number
  /** @default - 10 min */
  readonly patienceMs?: number
  /** Told of each error that is waited out. */
  readonly onWait?: (error: Error) => void
  /** @default - the clock */
  readonly now?: () => number
}

/**
 * How fast a table is asked: many calls at a time, half as many after each throttling, one more after each success. A
 * call that DynamoDB would take later is made again until nothing has passed for ten minutes, then its error is thrown.
 */
export class Pace {
  private readonly permits: Permits
  private answeredAt: number

  constructor(private readonly options: PaceOptions) {
    this.permits = new Permits(options.concurrency)
    this.answeredAt = this.now()
  }

  /** Calls when it is its turn, and again while the error is one that passes. */
  run<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { patienceMs = PATIENCE_MS, onWait, sleep, random } = this.options
    return patiently(() => this.permits.use(() => this.noteAnswer(call)), {
      ...TABLE_PATIENCE,
      service: 'dynamodb',
      // a call's time begins when it is its turn
      callMs: Number.POSITIVE_INFINITY,
      // the table's own clock counts, not this call's tries: others may pass meanwhile
      tries: Number.POSITIVE_INFINITY,
      throttledTries: Number.POSITIVE_INFINITY,
      passes: error => passes(error, 'dynamodb') && this.now() - this.answeredAt <= patienceMs,
      onRetry: error => {
        onWait?.(error)
        this.permits.allowed = Math.max(1, Math.floor(this.permits.allowed / 2))
      },
      ...(sleep && { sleep }),
      ...(random && { random }),
    })
  }

  /** Whoever refuses a request for its own sake has answered all the same. */
  private async noteAnswer<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const { after } = this.options
      const value = await new Attempts({ ...TABLE_PATIENCE, ...(after && { after }) }).call(call)
      this.answeredAt = this.now()
      this.permits.allowed = Math.min(this.options.concurrency, this.permits.allowed + 1)
      return value
    } catch (error) {
      if (!passes(error, 'dynamodb')) this.answeredAt = this.now()
      throw error
    }
  }

  private now(): number {
    return (this.options.now ?? Date.now)()
  }
}
