import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import { type Counts, EXPIRING_METRIC } from '../capture/write-metrics.js'
import { REFUSED_PREFIX } from '../transform/layout.js'

/** So long before it is forgotten, people hear of a refused object that is still there. */
const WARNED_DAYS = 30

const DAY_MS = 24 * 60 * 60 * 1000

export interface RefusedWatchOptions {
  readonly s3: S3Client
  /** The archive's, where Firehose leaves what it could not deliver, and the one for what never reached Firehose. */
  readonly buckets: readonly string[]
  /** Days after which S3 forgets a refused object. */
  readonly refusedDays: number
  readonly writeMetrics: (counts: Counts) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/**
 * Counts the refused objects that are about to expire, in all buckets together. It throws where a bucket cannot be
 * listed, and then counts nothing: a number that leaves out a bucket would say that all is well.
 */
export function createRefusedWatch(options: RefusedWatchOptions): () => Promise<void> {
  const { s3, buckets, refusedDays, writeMetrics, now = Date.now } = options
  return async () => {
    const before = now() - warnedAge(refusedDays) * DAY_MS
    let expiring = 0
    for (const bucket of buckets) expiring += await countOlder(s3, bucket, before)
    writeMetrics({ [EXPIRING_METRIC]: expiring })
  }
}

/** Days after which an object is told of. Where all of its time is short, the second half of it. */
function warnedAge(refusedDays: number): number {
  return Math.max(refusedDays - WARNED_DAYS, refusedDays / 2)
}

async function countOlder(s3: S3Client, bucket: string, before: number): Promise<number> {
  let count = 0
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket, Prefix: REFUSED_PREFIX },
  ))
    for (const { LastModified } of Contents) if (LastModified !== undefined && +LastModified <= before) count++
  return count
}

/** Reads the days from text. Throws for what is no number of days. */
export function parseDays(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) {
    throw new Error(`refused days are ${JSON.stringify(text)}, expected a whole number from 1 to 99999`)
  }
  return Number(text)
}
