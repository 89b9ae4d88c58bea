/** How long AWS is waited for, and for which of its errors: one loop, one back-off, one table. */
import { setTimeout as wait } from 'node:timers/promises'
import { athenaGuide, dynamoDbGuide, type Source } from './sources.js'

/** How something is tried again. What is left out is as it is within an invocation of Lambda. */
export interface Patience {
  /** Milliseconds until there is no time left, such as that of an invocation. @default - without end */
  readonly remaining?: () => number
  /** The first wait is at most this, each further one twice as much. @default - 100 ms */
  readonly firstMs?: number
  /** No wait is longer. @default - 5 s */
  readonly longestMs?: number
  /** Milliseconds that one call may take. @default - 10 s: PutRecordBatch answers within a second when it is well */
  readonly callMs?: number
  /** Tries without success in a row before giving up. @default - 10, which take 10 s on average */
  readonly tries?: number
  /**
   * The same where the last failure was a throttling: the service is there, and only asks for time.
   * @default - `tries`
   */
  readonly throttledTries?: number
  /** @default - a timer */
  readonly sleep?: (ms: number) => Promise<unknown>
  /** Calls back once so long has passed, unless what it answers was called. @default - a timer */
  readonly after?: (ms: number, callBack: () => void) => () => void
  /** From 0 to below 1. @default - Math.random */
  readonly random?: () => number
}

/**
 * A table that is read or written. Its partitions fill again within a second, so the first wait is short; a page of a
 * megabyte may overdraw a small table by a minute, and one whose capacity follows its load takes minutes to grow, so
 * throttling is waited for ten minutes or so. A throttled table may take a second to give a page of one large item.
 */
export const TABLE_PATIENCE = {
  firstMs: 50,
  longestMs: 20_000,
  callMs: 60_000,
  throttledTries: 68,
} as const satisfies Patience

/** Athena, whose quotas are shared by a whole account: some four minutes. The SDK's client ends its own calls. */
export const ATHENA_PATIENCE = {
  firstMs: 500,
  longestMs: 30_000,
  callMs: Number.POSITIVE_INFINITY,
  tries: 13,
} as const satisfies Patience

/** Errors of a service that pass by themselves, beside those of the network and of the service's machines. */
interface PassingErrors extends Source {
  readonly throttled: readonly string[]
  readonly others: readonly string[]
}

/**
 * `LimitExceededException` is a throttling in the streams API only: that of tables has it for what is created or
 * changed. `SlowDown` is S3's, and comes with status 503. Athena's client tries again what the network lost.
 */
const PASSING = {
  dynamodb: {
    throttled: ['ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'ThrottlingException'],
    // somebody else writes the very item, in a transaction or in another region
    others: ['TransactionConflictException', 'ReplicatedWriteConflictException'],
    ...dynamoDbGuide('Error handling with DynamoDB'),
  },
  streams: {
    throttled: [
      'LimitExceededException',
      'ProvisionedThroughputExceededException',
      'RequestLimitExceeded',
      'ThrottlingException',
    ],
    others: [],
    ...dynamoDbGuide('DynamoDB Streams API reference, GetRecords and DescribeStream'),
  },
  athena: {
    throttled: ['TooManyRequestsException', 'ThrottlingException', 'RequestLimitExceeded'],
    others: [],
    ...athenaGuide('Service Quotas, API throttling'),
  },
} as const satisfies Readonly<Record<string, PassingErrors>>

/** A service whose errors are told apart. */
export type Service = keyof typeof PASSING

/** True where a service refused a request because there were too many. */
export function isThrottled(error: unknown, service: Service): boolean {
  return (PASSING[service].throttled as readonly string[]).includes((error as Error).name)
}

/** True for an error that says nothing about the request: it may be made again, and pass. */
export function passes(error: unknown, service: Service): boolean {
  const { name, $metadata } = error as Error & { readonly $metadata?: { readonly httpStatusCode?: number } }
  return (
    isThrottled(error, service) ||
    (PASSING[service].others as readonly string[]).includes(name) ||
    isNetworkError(error) ||
    // an answer that no service wrote, or half of one
    name === 'SyntaxError' ||
    ($metadata?.httpStatusCode ?? 0) >= 500
  )
}

const NETWORK_ERRORS = /^(E(CONN\w+|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|HOSTUNREACH|NETUNREACH))$/

/** True where the network or the other side's machine failed, not the service. */
export function isNetworkError(error: unknown): boolean {
  return NETWORK_ERRORS.test((error as NodeJS.ErrnoException).code ?? '') || (error as Error).name === 'TimeoutError'
}

/** What is called patiently, and what for. */
export interface PatientOptions extends Patience {
  readonly service: Service
  /** Which errors are waited for. @default - those that pass by themselves, by the table */
  readonly passes?: (error: unknown) => boolean
  /** Ends every call and every further try. */
  readonly signal?: AbortSignal
  /** Told each failure that is waited for. */
  readonly onRetry?: (error: Error) => void
}

/**
 * Calls until it succeeds, later each time. Throws at once what no waiting would change, and the last error after all
 * tries.
 */
export async function patiently<T>(call: (signal: AbortSignal) => Promise<T>, options: PatientOptions): Promise<T> {
  const { service, signal, onRetry, tries, throttledTries = tries } = options
  const isWaitedFor = options.passes ?? ((error: unknown) => passes(error, service))
  const attempts = new Attempts(options)
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await attempts.call(passing =>
        signal === undefined ? call(passing) : endedByEither(signal, passing, call),
      )
    } catch (error) {
      if (signal?.aborted || !isWaitedFor(error)) throw error
      onRetry?.(error as Error)
      if (!(await attempts.failed(isThrottled(error, service) ? throttledTries : tries))) throw error
    }
  }
}

const DEFAULTS = { firstMs: 100, longestMs: 5_000, callMs: 10_000, tries: 10 } as const

/** Kept at the end of an invocation for the metrics and the answer. */
const RESERVE_MS = 1_000

/** A call with less time than this is not begun. */
const LEAST_CALL_MS = 500

/** Tries of one piece of work: how long each call may take, whether there is another, and when. */
export class Attempts {
  private failures = 0

  constructor(private readonly patience: Patience) {}

  /** True while there is time to make a call. */
  get inTime(): boolean {
    return this.timeLeft >= LEAST_CALL_MS
  }

  /** Makes a call, and gives up waiting for it when its time is over. */
  async call<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    const ms = Math.min(this.patience.callMs ?? DEFAULTS.callMs, this.timeLeft)
    if (ms === Number.POSITIVE_INFINITY) return send(abort.signal)
    const { after = startTimer } = this.patience
    let stop = () => {}
    const timeout = new Promise<never>((_, reject) => {
      stop = after(ms, () => {
        reject(new TimeoutError('call took too long'))
        abort.abort()
      })
    })
    try {
      // a race, because a client need not notice the signal while it reads the body of an answer
      return await Promise.race([send(abort.signal), timeout])
    } finally {
      stop()
    }
  }

  succeeded(): void {
    this.failures = 0
  }

  /** Waits before the next try, with full jitter so that many do not come back together; false: no more tries. */
  async failed(tries: number = this.patience.tries ?? DEFAULTS.tries): Promise<boolean> {
    const {
      firstMs = DEFAULTS.firstMs,
      longestMs = DEFAULTS.longestMs,
      random = Math.random,
      sleep = wait,
    } = this.patience
    this.failures++
    if (this.failures >= tries) return false
    const ms = random() * Math.min(longestMs, firstMs * 2 ** (this.failures - 1))
    if (this.timeLeft - ms < LEAST_CALL_MS) return false
    await sleep(ms)
    return this.inTime
  }

  private get timeLeft(): number {
    return (this.patience.remaining?.() ?? Number.POSITIVE_INFINITY) - RESERVE_MS
  }
}

/** Calls back by the clock of this machine, as `Patience.after` does where nothing else is given. */
export function startTimer(ms: number, callBack: () => void): () => void {
  const timer = setTimeout(callBack, ms)
  return () => clearTimeout(timer)
}

/** Waits by a timer; throws as soon as the signal ends it. */
export function sleepUntil(after: NonNullable<Patience['after']>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const end = () => {
      stop()
      reject(signal.reason)
    }
    const stop = after(ms, () => {
      signal.removeEventListener('abort', end)
      resolve()
    })
    signal.addEventListener('abort', end, { once: true })
  })
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Makes a call that either signal ends. Not by AbortSignal.any, of which a signal that lives as long as a tail keeps a
 * trace for each call that was ever made (Node 20).
 */
async function endedByEither<T>(
  lasting: AbortSignal,
  passing: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController()
  const end = () => both.abort()
  lasting.addEventListener('abort', end)
  passing.addEventListener('abort', end)
  try {
    return await call(both.signal)
  } finally {
    lasting.removeEventListener('abort', end)
    passing.removeEventListener('abort', end)
  }
}
