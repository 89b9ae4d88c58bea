import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { type Patience, patiently } from '../aws/patience.js'
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
  /** @default - a timer */
  readonly after?: NonNullable<Patience['after']>
  /** Gives a number from 0 to below 1. */
  readonly random: () => number
  /** Called with each failure after which it waits and tries again. */
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

  private persist<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { tries = Number.POSITIVE_INFINITY } = this.options
    return patiently(call, { ...this.options, service: 'streams', callMs: CALL_MS, tries })
  }
}
