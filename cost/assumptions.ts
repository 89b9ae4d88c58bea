/** What a plan takes for granted, because it cannot be looked up or measured beforehand. Each is told with the plan. */
import { TRANSFORM_BUFFER } from '../aws/firehose-buffer.js'
import { dynamoDbGuide, firehoseGuide, lambdaGuide, OURS, type Source } from '../aws/sources.js'
import { DEPLOYED } from './deployed.js'

export interface Assumption extends Source {
  readonly assumption: string
  readonly value: string
}

/** Seconds of a forwarder's call: one PutRecordBatch, then parsing, packing and sending by the MiB. */
export const FORWARDER_SECONDS = { call: 0.1, mib: 0.15 } as const

/** Seconds of a transform's call. */
export const TRANSFORM_SECONDS = { call: 0.02, mib: 0.15 } as const

/** Seconds of locking one object. */
export const LOCK_SECONDS = 0.2

/** What a call writes into its log: the platform's three lines, and the forwarder's counts. */
export const LOG_BYTES = { forwarder: 1000, transform: 400, lock: 400 } as const

/**
 * A row in Firehose's Parquet (SNAPPY): hashes and ids, which do not shrink, and its images, which do. Of its bytes
 * without images so many are no image's hash. An object has some bytes for its columns, whatever is in it.
 */
export const PARQUET = { rowBytes: 320, imageShare: 0.18, narrowBytes: 200, objectBytes: 7500 } as const

/** A peak that is not told. */
export const PEAK_FACTOR = 3

/** A new table on demand takes 4,000 writes a second, and a partition 1,000; each partition has an open shard. */
export const LEAST_SHARDS = 4

/** Firehose waits so long before it calls a transform that has not a full buffer. */
export const TRANSFORM_WAIT_SECONDS = TRANSFORM_BUFFER.seconds

/**
 * A journal, by its own code (entries as on S3, a seal with its totals) and by what a sealing does. Seconds of a call,
 * of a bundle of 256 entries read, of a thousand versions listed, of an object and of a GB hashed.
 */
export const JOURNAL = {
  entry: { objectBytes: 516, sealBytes: 203, hashBytes: 34 },
  kmsRequests: 5,
  gets: { call: 10, object: 4 },
  lists: 10,
  seconds: { call: 3, bundle: 0.03, page: 0.3, object: 0.1, gb: 15 },
  hashedADay: 64,
  /** What is held of an entry that is looked at (measured: 465 MB for 200,000), of a bundle and of a file. */
  heldBytes: 2300,
  knownBytes: 510,
  fileBytes: 200,
  /** Files of a sealing that are its own: a claim, a bundle and two tiles that are not full. */
  filesOfSeal: 4,
  /** What a desk that answers reads an entry in (measured: 0.9 s of a processor for 100,000). */
  deskSeconds: 0.00001,
} as const

/**
 * Keys of persons: bytes of a key's item, secrets that a container opens each hour, and how many times longer a
 * transform takes that seals two values of each image and knows no key yet (measured: 268 ms became 1,023).
 */
export const PERSONS = { keyBytes: 220, secrets: 2, timesLonger: 3.8 } as const

/**
 * Calls that CloudTrail keeps: bytes of an event in its file, which nothing found tells and no account here shows, and
 * files a month, one every five minutes and a digest each hour.
 */
export const CALLS = { eventBytes: 600, filesAMonth: (13 * 24 * 365) / 12 } as const

/**
 * A canary: bytes of its item, which names a handful of awaited writes; of an object with three of them; seconds, lists
 * and objects opened of a call, of which every third finds something new.
 */
export const CANARY = { itemBytes: 250, objectBytes: 10_000, seconds: 1, lists: 2, gets: 2 } as const

/**
 * A nightly comparison: seconds of a call that finds nothing to do, and of one that compares, besides its items; what
 * an image takes in an export, which is gzip; days that an export is kept.
 */
export const RECONCILIATION = {
  seconds: { call: 1, comparison: 20 },
  itemsASecond: 3000,
  packed: 0.2,
  days: 7,
} as const

/** Those that every plan rests on. */
const ALWAYS: readonly Assumption[] = [
  {
    assumption: 'Parquet, an object',
    value: `${PARQUET.objectBytes.toLocaleString('en-US')} bytes besides its rows`,
    ...OURS,
  },
  {
    assumption: 'open shards of the stream',
    value: `one for each 1,000 write units a second at the peak, at least ${LEAST_SHARDS}`,
    ...dynamoDbGuide('Understanding DynamoDB warm throughput'),
  },
  {
    assumption: 'forwarder, seconds a call',
    value: `${FORWARDER_SECONDS.call} and ${FORWARDER_SECONDS.mib} a MiB`,
    ...OURS,
  },
  {
    assumption: 'transform, seconds a call',
    value: `${TRANSFORM_SECONDS.call} and ${TRANSFORM_SECONDS.mib} a MiB`,
    ...OURS,
  },
  {
    assumption: 'transform, calls',
    value: `one for each MiB, or ${TRANSFORM_WAIT_SECONDS} seconds after the first record`,
    ...firehoseGuide('Transform source data'),
  },
  {
    assumption: 'journal, an entry',
    value: `${JOURNAL.entry.objectBytes} bytes an object, ${JOURNAL.entry.sealBytes} a seal; a year of them is verified again, ${DEPLOYED.check.againSeconds} s a day`,
    ...OURS,
  },
  {
    assumption: 'journal, seconds of its functions',
    value: `${JOURNAL.seconds.call} a call, ${JOURNAL.seconds.object} an object, ${JOURNAL.seconds.gb} a GB, ${JOURNAL.seconds.bundle} for 256 entries`,
    ...OURS,
  },
  {
    assumption: 'journal, an entry in memory',
    value: `${JOURNAL.heldBytes.toLocaleString('en-US')} bytes`,
    ...OURS,
  },
  {
    assumption: 'keys of persons',
    value: `one person an item, a new one with each new item; a key of ${PERSONS.keyBytes} bytes; the transform takes ${PERSONS.timesLonger} times as long`,
    ...OURS,
  },
  {
    assumption: 'calls that are kept',
    value: `one event a change, though a batch is one for all of its writes; ${CALLS.eventBytes} bytes an event, compressed`,
    ...OURS,
  },
  {
    assumption: 'canary, a call',
    value: `${CANARY.seconds} second, ${CANARY.lists} lists, ${CANARY.gets} objects of ${CANARY.objectBytes.toLocaleString('en-US')} bytes; an item of ${CANARY.itemBytes} bytes`,
    ...OURS,
  },
  {
    assumption: 'nightly comparison',
    value: `no item changes twice in a day; ${RECONCILIATION.seconds.comparison} seconds, and one for ${RECONCILIATION.itemsASecond.toLocaleString('en-US')} items; an export is billed by its items, once`,
    ...OURS,
  },
  {
    assumption: 'payload of a call of the forwarder',
    value: 'the records as JSON, 6 MB at most',
    ...lambdaGuide('Lambda quotas'),
  },
  {
    assumption: 'dynamic partitioning',
    value: 'billed on the GB taken in; the price list says "delivered", which may be less',
    source: 'Amazon Data Firehose pricing page',
    date: '2022',
  },
  {
    assumption: 'Kinesis, read by Firehose',
    value: 'billed as data out; nothing found says so or not',
    ...OURS,
  },
]

/** Those that the plan of some workload rests on. */
export function assumptionsOf(workload: {
  readonly peakGiven: boolean
  readonly parquetMeasured: boolean
}): readonly Assumption[] {
  const peak = { assumption: 'peak', value: `${PEAK_FACTOR} times the average`, ...OURS }
  const parquet = {
    assumption: 'Parquet, SNAPPY',
    value: `${PARQUET.rowBytes} bytes a row and ${PARQUET.imageShare} of its images' JSON`,
    ...OURS,
  }
  return [...(workload.peakGiven ? [] : [peak]), ...(workload.parquetMeasured ? [] : [parquet]), ...ALWAYS]
}
