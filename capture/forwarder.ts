import type { FirehoseClient } from '@aws-sdk/client-firehose'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import type { Patience } from '../aws/patience.js'
import { sendPacks } from './firehose-sender.js'
import { keepOversize } from './oversize.js'
import { type Pack, type PackLimits, packRecords } from './packing.js'
import type { Counts } from './write-metrics.js'

/** What the forwarder of one table works with. Neither client may retry by itself (`maxAttempts: 1`). */
export interface ForwarderOptions {
  readonly table: string
  readonly deliveryStream: string
  /** Where a record too large for Firehose is kept. */
  readonly refusedBucket: string
  readonly firehose: FirehoseClient
  readonly s3: S3Client
  readonly writeMetrics: (counts: Counts) => void
  /** Called with what was not accepted or had to be kept; it gets no item's data. */
  readonly log: (message: string, details: object) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
  /** @default - the clock and real randomness */
  readonly time?: Omit<Patience, 'remaining'>
  /** @default - what Firehose takes and what costs least, see packing.ts */
  readonly limits?: PackLimits
}

export type ForwarderContext = Pick<Context, 'getRemainingTimeInMillis' | 'invokedFunctionArn'>
export type Forwarder = (event: DynamoDBStreamEvent, context: ForwarderContext) => Promise<DynamoDBBatchResponse>

/**
 * The function that carries a table's stream to Firehose. A record is acknowledged only when Firehose has accepted it,
 * or it is too large for Firehose and is kept whole in the refused bucket. Of the others the first in the stream is
 * reported, and Lambda sends from there again; what then arrives twice has one `event_id`.
 */
export function createForwarder(options: ForwarderOptions): Forwarder {
  const { table, deliveryStream, refusedBucket, firehose, s3, log, now = Date.now } = options
  return async ({ Records }, context) => {
    const { packs, oversize } = packRecords(Records, options.limits)
    const time = { ...options.time, remaining: () => context.getRemainingTimeInMillis() }
    const store = { client: s3, bucket: refusedBucket, table, lambdaArn: context.invokedFunctionArn, now }
    const [sent, kept] = await Promise.all([
      sendPacks(firehose, deliveryStream, packs, time),
      keepOversize(store, oversize, time),
    ])
    const left = [...sent.left, ...kept.left]
    options.writeMetrics({
      RecordsReceived: Records.length,
      RecordsAccepted: countRecords(sent.accepted),
      RecordsOversize: kept.kept.length,
      RecordsLeft: countRecords(left),
      Packs: sent.accepted.length,
      PacksRetried: sent.retried,
      PackBytes: sent.accepted.reduce((sum, { data }) => sum + data.length, 0),
    })
    if (kept.kept.length > 0) log('records too large for Firehose were kept whole', { records: kept.kept.length })
    if (left.length === 0) return { batchItemFailures: [] }
    const first = firstSequenceNumber(Records, left)
    const errors = Object.fromEntries([...sent.errors, ...kept.errors])
    log('records were not accepted, Lambda will send them again', { records: countRecords(left), first, errors })
    return { batchItemFailures: [{ itemIdentifier: first }] }
  }
}

function countRecords(packs: readonly Pack[]): number {
  return packs.reduce((sum, { positions }) => sum + positions.length, 0)
}

/** Where Lambda has to go on: the sequence number of the first record that was not accepted. */
function firstSequenceNumber(records: DynamoDBStreamEvent['Records'], left: readonly Pack[]): string {
  const position = Math.min(...left.map(({ positions }) => positions[0] as number))
  const sequence: unknown = (records[position] as DynamoDBStreamEvent['Records'][number] | null)?.dynamodb
    ?.SequenceNumber
  if (typeof sequence === 'string' && sequence !== '') return sequence
  // no answer can name this record, but a failed invocation makes Lambda send the whole batch again
  throw new Error(`record ${position} of ${records.length} was not accepted and has no sequence number to report`)
}
