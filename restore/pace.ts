import { setTimeout as wait } from 'node:timers/promises'

/** The wait before the second try is at most this, before each further one twice as much, in milliseconds. */
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 20_000

/** A table whose capacity follows its load takes some minutes to grow: so long is waited without a single success. */
const PATIENCE_MS = 10 * 60_000

/** How a pace is set. */
export interface PaceOptions {
  /** Calls at a time, while DynamoDB takes them. */
  readonly concurrency: number
  /** @default - 10 min */
  readonly patienceMs?: number
  /** Told of each error that is waited out. */
  readonly onWait?: (error: Error) => void
  /** @default - the clock */
  readonly sleep?: (ms: number) => Promise<unknown>
  readonly now?: () => number
  /** From 0 to below 1. @default - Math.random */
  readonly random?: () => number
}

/**
 * How fast a table is asked: many calls at a time, half as many after each throttling, one more after each success. A
 * call that DynamoDB would take later is made again until nothing has passed for ten minutes, then its error is thrown.
 */
export class Pace {
  private allowed: number
  private running = 0
  private readonly waiting: (() => void)[] = []
  private succeededAt: number

  constructor(private readonly options: PaceOptions) {
    this.allowed = options.concurrency
    this.succeededAt = this.now()
  }

  /** Calls when it is its turn, and again while the error is one that passes. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      await this.enter()
      let error: unknown
      try {
        const answer = await call()
        this.succeeded()
        return answer
      } catch (caught) {
        error = caught
      } finally {
        this.leave()
      }
      if (!passes(error)) {
        // an answer all the same: the table is there
        this.succeededAt = this.now()
        throw error
      }
      if (this.now() - this.succeededAt > (this.options.patienceMs ?? PATIENCE_MS)) throw error
      this.options.onWait?.(error as Error)
      this.allowed = Math.max(1, Math.floor(this.allowed / 2))
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries)
      await (this.options.sleep ?? wait)((this.options.random ?? Math.random)() * longest)
    }
  }

  private async enter(): Promise<void> {
    while (this.running >= this.allowed) await new Promise<void>(resolve => this.waiting.push(resolve))
    this.running++
  }

  private leave(): void {
    this.running--
    for (let free = this.allowed - this.running; free > 0; free--) this.waiting.shift()?.()
  }

  private succeeded(): void {
    this.succeededAt = this.now()
    this.allowed = Math.min(this.options.concurrency, this.allowed + 1)
  }

  private now(): number {
    return (this.options.now ?? Date.now)()
  }
}

const PASSING = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'Throttling',
  'InternalServerError',
  'ServiceUnavailable',
  'TransactionConflictException',
  'TransactionInProgressException',
  'TimeoutError',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
])

/** True for an error that says nothing about the request: it may be made again, and pass. */
export function passes(error: unknown): boolean {
  const { name, code, $metadata } = error as { name?: string; code?: string; $metadata?: { httpStatusCode?: number } }
  return PASSING.has(name ?? '') || PASSING.has(code ?? '') || ($metadata?.httpStatusCode ?? 0) >= 500
}
