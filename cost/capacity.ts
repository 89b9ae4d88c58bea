/** How much of each service a workload takes: plain formulas, each with its source. */
import { FORWARDER_SECONDS, LEAST_SHARDS, TRANSFORM_SECONDS, TRANSFORM_WAIT_SECONDS } from './assumptions.js'
import { DEPLOYED } from './deployed.js'

export const MIB = 1024 ** 2

/** Hours of a month as AWS's calculator has them. */
export const MONTH_HOURS = 730
export const MONTH_SECONDS = MONTH_HOURS * 3600
export const MONTH_DAYS = 365 / 12
export const DAY_SECONDS = 86_400

/**
 * Writes that a partition, and so its shard of the stream, takes a second (DynamoDB developer guide, "warm
 * throughput").
 */
export const PARTITION_UNITS = 1000

/**
 * Shards of a provisioned Kinesis stream, not rounded up (DynamoDB developer guide, "Using shards and metrics with
 * DynamoDB Streams in Kinesis Data Streams"): an update replicates two images, and the guide reckons four times an item
 * for the rest. Its own example, 1,040 writes a second of 800 bytes with 25 % updates, comes to 3.37, so 4; the text
 * beside it says 2, which is what its formula of 2023 came to. A shard takes 1,000 records a second besides.
 */
export function kinesisShards(writesPerSecond: number, itemBytes: number, updates: number): number {
  return Math.max((writesPerSecond * (4 + updates) * itemBytes) / MIB, writesPerSecond / 1000)
}

/** What the guide said in 2023, for comparison: once the item, twice for an update. */
export function kinesisShardsOf2023(writesPerSecond: number, itemBytes: number, updates: number): number {
  return Math.max((writesPerSecond * (1 + updates) * itemBytes) / MIB, writesPerSecond / 1000)
}

/** Open shards of a table's own stream; more once there are more partitions, which only DynamoDB knows. */
export function streamShards(peakWritesPerSecond: number, units: number): number {
  return Math.max(LEAST_SHARDS, Math.ceil((peakWritesPerSecond * units) / PARTITION_UNITS))
}

/**
 * Changes that reach a call of the forwarder together: the first, and what comes to its shard in the window after it.
 */
export function changesTogether(writesPerSecond: number, shards: number): number {
  const { batchRecords, windowSeconds } = DEPLOYED.forwarder
  return Math.min(batchRecords, 1 + Math.floor((writesPerSecond / shards) * windowSeconds))
}

export function forwarderSeconds(bytes: number): number {
  return FORWARDER_SECONDS.call + FORWARDER_SECONDS.mib * (bytes / MIB)
}

export function transformSeconds(bytes: number): number {
  return TRANSFORM_SECONDS.call + TRANSFORM_SECONDS.mib * (bytes / MIB)
}

/**
 * Calls of the transform a second: one a full buffer, or one a wait where there is anything at all. `sources` buffer
 * apart: shards of a Kinesis stream do.
 */
export function transformCalls(recordsPerSecond: number, bytesPerSecond: number, sources = 1): number {
  const full = bytesPerSecond / (DEPLOYED.transform.bufferMb * MIB)
  const waiting = Math.min(recordsPerSecond, sources / TRANSFORM_WAIT_SECONDS)
  return Math.max(full, waiting)
}

/** Objects a day: one a full buffer, or one an interval in which there is anything at all. */
export function objectsADay(
  writesPerSecond: number,
  rowBytes: number,
  buffer: { mb: number; seconds: number },
): number {
  const full = (writesPerSecond * rowBytes * DAY_SECONDS) / (buffer.mb * MIB)
  const waiting = Math.min(writesPerSecond, 1 / buffer.seconds) * DAY_SECONDS
  return Math.max(full, waiting)
}
