import { setTimeout as wait } from 'node:timers/promises'

/** Tries without success in a row before giving up until Lambda's own retry: with the waits below, 10 s on average. */
const TRIES = 10

/** The wait before the second try is at most this, before each further one twice as much, in milliseconds. */
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000

/** A call that takes longer is given up and tried again: PutRecordBatch answers within a second when it is well. */
const CALL_MS = 10_000

/** Kept at the end of an invocation for the metrics and the answer. */
const RESERVE_MS = 1_000

/** A call with less time than this is not begun. */
const LEAST_CALL_MS = 500

/** An invocation's time. */
export interface Timekeeper {
  /** Milliseconds until Lambda ends the invocation. */
  remaining(): number
  /** @default - the clock */
  readonly sleep?: (ms: number) => Promise<unknown>
  /** From 0 to below 1. @default - Math.random */
  readonly random?: () => number
  /** Milliseconds that one call may take. @default - 10 s */
  readonly callMs?: number
  /** Tries without success in a row before giving up. @default - 10 */
  readonly tries?: number
}

/** Tries of one piece of work within an invocation: how long each call may take, whether there is another, and when. */
export class Attempts {
  private failures = 0

  constructor(private readonly time: Timekeeper) {}

  /** True while there is time to make a call. */
  get inTime(): boolean {
    return this.timeLeft >= LEAST_CALL_MS
  }

  /** Makes a call, and gives up waiting for it when its time is over. */
  async call<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          reject(new TimeoutError('call took too long'))
          abort.abort()
        },
        Math.min(this.time.callMs ?? CALL_MS, this.timeLeft),
      )
    })
    try {
      // a race, because a client need not notice the signal while it reads the body of an answer
      return await Promise.race([send(abort.signal), timeout])
    } finally {
      clearTimeout(timer)
    }
  }

  succeeded(): void {
    this.failures = 0
  }

  /** Waits before the next try, with full jitter so that shards do not come back together; false: no more tries. */
  async failed(): Promise<boolean> {
    this.failures++
    if (this.failures >= (this.time.tries ?? TRIES)) return false
    const ms = (this.time.random ?? Math.random)() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1))
    if (this.timeLeft - ms < LEAST_CALL_MS) return false
    await (this.time.sleep ?? wait)(ms)
    return this.inTime
  }

  private get timeLeft(): number {
    return this.time.remaining() - RESERVE_MS
  }
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}
