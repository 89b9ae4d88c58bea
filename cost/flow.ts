/** What flows through the stations in a month, for each way a change can be carried. */
import { PARQUET } from './assumptions.js'
import {
  changesTogether,
  DAY_SECONDS,
  forwarderSeconds,
  MIB,
  MONTH_SECONDS,
  objectsADay,
  streamShards,
  transformCalls,
  transformSeconds,
} from './capacity.js'
import { DEPLOYED } from './deployed.js'
import type { SampleChange } from './sample-changes.js'
import { type Packing, packSample, type Traffic } from './traffic.js'
import type { Workload } from './workload.js'

/** A new stream on demand takes 4 MB a second, so it has so many shards; Firehose buffers each apart. */
const KINESIS_SHARDS = 4

/** How changes reach Firehose; the second is what the forwarder would cost without packing. */
export const CAPTURES = ['streams', 'streams, unpacked', 'kinesis'] as const
export type CaptureKind = (typeof CAPTURES)[number]

/** A Lambda function's month. */
export interface Calls {
  readonly calls: number
  readonly gbSeconds: number
  /** Calls at once in the busiest second, rounded up. */
  readonly concurrency: number
}

export interface Flow {
  readonly capture: CaptureKind
  /** In a month. */
  readonly changes: number
  /** Null for Kinesis, which Firehose reads by itself. */
  readonly forwarder: Calls | null
  readonly transform: Calls
  /** To Firehose: records and bytes for each change, and bytes as billed. */
  readonly records: number
  readonly bytes: number
  readonly billedBytes: number
  readonly objectsADay: number
}

/** A sample with its weights and the workload that it stands for. */
export interface Subject {
  readonly workload: Workload
  readonly traffic: Traffic
  readonly changes: readonly SampleChange[]
}

export function flowOf(capture: CaptureKind, subject: Subject): Flow {
  const { workload, traffic } = subject
  const { writesPerSecond, buffer } = workload
  const packing = packingAt(writesPerSecond, subject)
  const perChange = carried(capture, traffic, packing)
  return {
    capture,
    changes: writesPerSecond * MONTH_SECONDS,
    forwarder: capture === 'kinesis' ? null : forwarderOf(subject, packing),
    transform: transformOf(workload, perChange, capture === 'kinesis' ? KINESIS_SHARDS : 1),
    ...perChange,
    objectsADay: objectsADay(writesPerSecond, traffic.rowBytes, buffer),
  }
}

/** What the archive's objects are like, however changes reach Firehose: how many a day, and the bytes of one. */
export function deliveryOf({ workload, traffic }: Subject): {
  readonly objectsADay: number
  readonly objectBytes: number
} {
  const { writesPerSecond, buffer } = workload
  const objects = objectsADay(writesPerSecond, traffic.rowBytes, buffer)
  const rows = (writesPerSecond * DAY_SECONDS) / objects
  return { objectsADay: objects, objectBytes: rows * traffic.parquetBytes + PARQUET.objectBytes }
}

/** How changes are packed at a rate: the fewer come together, the less it saves. */
export function packingAt(writesPerSecond: number, { workload, traffic, changes }: Subject): Packing {
  const shards = streamShards(workload.peakWritesPerSecond, traffic.units)
  return packSample(changes, changesTogether(writesPerSecond, shards))
}

function carried(capture: CaptureKind, traffic: Traffic, packing: Packing) {
  const { streamsBytes, streamsAloneBytes, kinesisBytes, kinesisAloneBytes } = traffic
  if (capture === 'kinesis') return { records: 1, bytes: kinesisBytes, billedBytes: kinesisAloneBytes }
  if (capture === 'streams') {
    const { records, bytes, billedBytes } = packing
    return { records, bytes, billedBytes }
  }
  return { records: 1, bytes: streamsBytes, billedBytes: streamsAloneBytes }
}

function forwarderOf(subject: Subject, packing: Packing): Calls {
  const { workload, traffic } = subject
  const calls = (workload.writesPerSecond * MONTH_SECONDS) / packing.changes
  const seconds = forwarderSeconds(packing.changes * traffic.streamsBytes)
  const busy = packingAt(workload.peakWritesPerSecond, subject)
  const shards = streamShards(workload.peakWritesPerSecond, traffic.units) * DEPLOYED.forwarder.parallelization
  const busySeconds = forwarderSeconds(busy.changes * traffic.streamsBytes)
  return {
    calls,
    gbSeconds: (calls * seconds * DEPLOYED.forwarder.memoryMb) / 1024,
    // each shard is served by one call at a time
    concurrency: Math.min(shards, Math.ceil((workload.peakWritesPerSecond / busy.changes) * busySeconds)),
  }
}

function transformOf(
  { writesPerSecond: average, peakWritesPerSecond: peak }: Workload,
  each: { readonly records: number; readonly bytes: number },
  sources: number,
): Calls {
  const perSecond = transformCalls(average * each.records, average * each.bytes, sources)
  const seconds = transformSeconds((average * each.bytes) / perSecond)
  const busy = transformCalls(peak * each.records, peak * each.bytes, sources)
  return {
    calls: perSecond * MONTH_SECONDS,
    gbSeconds: (perSecond * MONTH_SECONDS * seconds * DEPLOYED.transform.memoryMb) / 1024,
    concurrency: Math.ceil(busy * transformSeconds((peak * each.bytes) / busy)),
  }
}

/** What Firehose takes in at the peak, in MiB, records and PutRecordBatch calls a second. */
export function directPutOf(subject: Subject) {
  const { peakWritesPerSecond } = subject.workload
  const packing = packingAt(peakWritesPerSecond, subject)
  return {
    mib: (peakWritesPerSecond * packing.bytes) / MIB,
    records: peakWritesPerSecond * packing.records,
    requests: peakWritesPerSecond * packing.puts,
  }
}
