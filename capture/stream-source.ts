import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { Attempts, type Timekeeper } from '../aws/attempts.js'
import { isNetworkError } from '../aws/network-error.js'
import {
  describePage,
  describeStream,
  getIterator,
  getRecords,
  type ShardStart,
  type StreamDescription,
  type StreamRecords,
} from './stream-calls.js'

/** A stream read with patience: what passes by itself is waited for, everything else is thrown at once. */
export interface StreamSourceOptions {
  /** It must not retry by itself (`maxAttempts: 1`). */
  readonly client: DynamoDBStreamsClient
  /** Ends every call and every wait. */
  readonly signal: AbortSignal
  /** Tries of one call. @default - without end */
  readonly tries?: number
  readonly sleep: (ms: number) => Promise<unknown>
  /** From 0 to below 1. */
  readonly random: () => number
  /** Told each failure that is waited for. */
  readonly onRetry?: (error: Error) => void
}

/** A call that takes longer is given up and made again. */
const CALL_MS = 30_000

/** Calls to a table's stream. Throttling, faults of the service and of the network are waited for, with jitter. */
export class StreamSource {
  constructor(private readonly options: StreamSourceOptions) {}

  describe(streamArn: string): Promise<StreamDescription> {
    return describeStream(after => this.persist(signal => describePage(this.options.client, streamArn, after, signal)))
  }

  iterator(streamArn: string, shardId: string, start: ShardStart): Promise<string> {
    return this.persist(signal => getIterator(this.options.client, streamArn, shardId, start, signal))
  }

  records(iterator: string): Promise<StreamRecords> {
    return this.persist(signal => getRecords(this.options.client, iterator, signal))
  }

  private async persist<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, tries = Number.POSITIVE_INFINITY, sleep, random, onRetry } = this.options
    const time: Timekeeper = { remaining: () => Number.POSITIVE_INFINITY, callMs: CALL_MS, tries, sleep, random }
    const attempts = new Attempts(time)
    for (;;) {
      signal.throwIfAborted()
      try {
        return await attempts.call(timeout => endedByEither(signal, timeout, call))
      } catch (error) {
        if (signal.aborted || !passes(error)) throw error
        onRetry?.(error as Error)
        if (!(await attempts.failed())) throw error
      }
    }
  }
}

/**
 * Makes a call that either signal ends. Not by AbortSignal.any, of which a signal that lives as long as a tail keeps a trace
 * for each call that was ever made (Node 20).
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
  }
}

const PASSING_ERRORS = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  // an answer that no service wrote, or half of one
  'SyntaxError',
])

/** True for what goes away by itself. */
function passes(error: unknown): boolean {
  const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  return PASSING_ERRORS.has(name) || isNetworkError(error) || ($metadata?.httpStatusCode ?? 0) >= 500
}
