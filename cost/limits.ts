/** Which limit of which service is met at which rate, if the changes stay as they are. */

import { dynamoDbGuide, firehoseGuide, kinesisGuide, lambdaGuide } from '../aws/sources.js'
import { MAX_RESPONSE_BYTES } from '../transform/handler.js'
import { forwarderSeconds, MIB, PARTITION_UNITS, streamShards, transformSeconds } from './capacity.js'
import { DEPLOYED } from './deployed.js'
import type { Subject } from './flow.js'
import type { Limit } from './limit.js'
import { ownLimits } from './own-limits.js'
import { packSample } from './traffic.js'

const [TABLE_UNITS, CONCURRENCY] = [40_000, 1000]
const PUT = { mib: 5, elsewhereMib: 1, records: 500_000, requests: 2000 }
const KINESIS = { startMib: 4, mostGb: 10, keyRecords: 1000, recordBytes: MIB }
const [PARTITIONS, PARTITION_GB, TRANSFORMS_A_SHARD] = [500, 1, 5]

/** Dates that rows are of within one buffer: two about midnight. */
const DATES_AT_ONCE = 2

/** All limits, the one that is reached first before the others, those without a rate last. */
export function limitsOf(subject: Subject): readonly Limit[] {
  const all = [
    ...tableLimits(subject),
    ...streamsLimits(subject),
    ...kinesisLimits(subject),
    ...firehoseLimits(subject),
    ...ownLimits(subject),
  ]
  const rate = ({ writesPerSecond }: Limit) => writesPerSecond ?? Number.POSITIVE_INFINITY
  // infinity less infinity is no number
  return all.toSorted((a, b) => (rate(a) < rate(b) ? -1 : rate(a) > rate(b) ? 1 : b.used - a.used))
}

/**
 * The limits of a capture that concern the whole table, or those of the archive's own functions, which are met on
 * average; the first to be reached before the others.
 */
export function firstLimits(limits: readonly Limit[], capture: 'streams' | 'kinesis' | 'own'): readonly Limit[] {
  return limits.filter(({ of, onAverage, writesPerSecond, capture: by }) => {
    if (of !== 'table' || writesPerSecond === null) return false
    return capture === 'own' ? onAverage : !onAverage && [capture, 'both'].includes(by)
  })
}

type Described = Pick<Limit, 'limit' | 'capture' | 'quota' | 'source' | 'date'> & Partial<Pick<Limit, 'of' | 'remark'>>

function atRate({ workload }: Subject, writesPerSecond: number, described: Described): Limit {
  const used = workload.peakWritesPerSecond / writesPerSecond
  return { of: 'table', remark: null, ...described, onAverage: false, writesPerSecond, used }
}

function atAnyRate(used: number, described: Described): Limit {
  return { of: 'table', remark: null, ...described, onAverage: false, writesPerSecond: null, used }
}

function tableLimits(subject: Subject): readonly Limit[] {
  const { units, streamsBytes } = subject.traffic
  const perChange = forwarderSecondsOf(subject) + transformSeconds(MIB) * (streamsBytes / MIB)
  return [
    atRate(subject, TABLE_UNITS / units, {
      limit: 'DynamoDB, units of a table',
      capture: 'both',
      quota: '40,000 a second, raised on request',
      ...dynamoDbGuide('Quotas'),
    }),
    atRate(subject, PARTITION_UNITS / units, {
      limit: 'DynamoDB, units of a partition',
      capture: 'both',
      of: 'item',
      quota: '1,000 a second, not raised',
      remark: 'one item, or items that share a partition',
      ...dynamoDbGuide('Understanding DynamoDB warm throughput'),
    }),
    atRate(subject, CONCURRENCY / perChange, {
      limit: 'Lambda, calls at once',
      capture: 'streams',
      quota: '1,000 an account and region, raised on request; new accounts have fewer',
      remark: 'forwarder and transform; shared with every other function of the account',
      ...lambdaGuide('Lambda quotas'),
    }),
    atRate(subject, CONCURRENCY / (transformSeconds(MIB) * (subject.traffic.kinesisBytes / MIB)), {
      limit: 'Lambda, calls at once',
      capture: 'kinesis',
      quota: '1,000 an account and region, raised on request; new accounts have fewer',
      remark: 'the transform; shared with every other function of the account',
      ...lambdaGuide('Lambda quotas'),
    }),
  ]
}

/** Seconds of the forwarder for a change, in full batches. */
function forwarderSecondsOf({ changes, traffic }: Subject): number {
  const { changes: together } = packSample(changes, DEPLOYED.forwarder.batchRecords)
  return forwarderSeconds(together * traffic.streamsBytes) / together
}

function streamsLimits(subject: Subject): readonly Limit[] {
  const { changes, traffic } = subject
  const full = packSample(changes, DEPLOYED.forwarder.batchRecords)
  const elsewhere = (PUT.elsewhereMib * MIB) / full.bytes
  return [
    atRate(subject, (PUT.mib * MIB) / full.bytes, {
      limit: 'Firehose, direct PUT, bytes',
      capture: 'streams',
      quota: '5 MiB a second in us-east-1, us-west-2 and eu-west-1, raised by itself when throttled, and on request',
      remark: `in other regions 1 MiB a second, reached at ${Math.floor(elsewhere).toLocaleString('en-US')}`,
      ...firehoseGuide('Quota'),
    }),
    atRate(subject, PUT.records / full.records, {
      limit: 'Firehose, direct PUT, records',
      capture: 'streams',
      quota: '500,000 a second, packs counting as one',
      ...firehoseGuide('Quota'),
    }),
    atRate(subject, PUT.requests / full.puts, {
      limit: 'Firehose, direct PUT, requests',
      capture: 'streams',
      quota: '2,000 a second',
      ...firehoseGuide('Quota'),
    }),
    shardLimit(subject, traffic.units),
  ]
}

/** One call at a time serves a shard, so a shard must bring no more than the calls can carry. */
function shardLimit(subject: Subject, units: number): Limit {
  const aShard = DEPLOYED.forwarder.parallelization / forwarderSecondsOf(subject)
  const atMost = PARTITION_UNITS / units
  const shards = streamShards(subject.workload.peakWritesPerSecond, units)
  const described: Described = {
    limit: 'forwarder, one call at a time for a shard',
    capture: 'streams',
    quota: 'ParallelizationFactor 1, to 10',
    remark: `a call after another carries ${Math.floor(aShard).toLocaleString('en-US')} changes a second, a partition takes ${Math.floor(atMost).toLocaleString('en-US')}`,
    ...lambdaGuide('Lambda parameters for DynamoDB event source mappings'),
  }
  return aShard >= atMost ? atAnyRate(atMost / aShard, described) : atRate(subject, shards * aShard, described)
}

function kinesisLimits(subject: Subject): readonly Limit[] {
  const { kinesisBytes, largestKinesisBytes } = subject.traffic
  return [
    atRate(subject, (KINESIS.startMib * MIB) / kinesisBytes, {
      limit: 'Kinesis on demand, a new stream',
      capture: 'kinesis',
      quota: '4 MB a second at first, then twice the peak of 30 days',
      remark: 'what is beyond it waits in DynamoDB, which goes on trying for 168 hours',
      ...kinesisGuide('Choose the right mode'),
    }),
    atRate(subject, (KINESIS.mostGb * 1024 * MIB) / kinesisBytes, {
      limit: 'Kinesis on demand, at most',
      capture: 'kinesis',
      quota: '10 GB a second in us-east-1, us-west-2 and eu-west-1, elsewhere 200 MB',
      ...kinesisGuide('Quotas and limits'),
    }),
    atRate(subject, Math.min(KINESIS.keyRecords, MIB / kinesisBytes), {
      limit: 'Kinesis, one partition key',
      capture: 'kinesis',
      of: 'item',
      quota: '1 MB or 1,000 records a second, not raised',
      ...kinesisGuide('Quotas and limits'),
    }),
    atAnyRate(largestKinesisBytes / KINESIS.recordBytes, {
      limit: 'Kinesis, one record',
      capture: 'kinesis',
      quota: '1 MB; DynamoDB skips a larger change, which is lost',
      remark: 'the largest of the sample',
      ...dynamoDbGuide('Using shards and metrics with DynamoDB Streams in Kinesis Data Streams'),
    }),
    atAnyRate(transformSeconds(MIB) / TRANSFORMS_A_SHARD, {
      limit: 'Firehose, transforms at once for a shard',
      capture: 'kinesis',
      quota: '5',
      remark: 'a shard brings 1 MB a second',
      ...firehoseGuide('Quota'),
    }),
  ]
}

function firehoseLimits(subject: Subject): readonly Limit[] {
  const { streamsBytes, rowBytes } = subject.traffic
  const answer = (DEPLOYED.transform.bufferMb * MIB * (rowBytes / streamsBytes) * 4) / 3
  return [
    atRate(subject, (PARTITION_GB * 1024 * MIB) / rowBytes, {
      limit: 'Firehose, bytes of one partition',
      capture: 'both',
      quota: '1 GB a second',
      ...firehoseGuide('Quota'),
    }),
    atAnyRate(DATES_AT_ONCE / PARTITIONS, {
      limit: 'Firehose, partitions at once',
      capture: 'both',
      quota: '500, raised on request',
      remark: 'two dates about midnight; what is sent again goes date by date',
      ...firehoseGuide('Quota'),
    }),
    atAnyRate(answer / MAX_RESPONSE_BYTES, {
      limit: "Lambda, the transform's answer",
      capture: 'both',
      quota: '6 MB; rows that do not fit are refused and sent again',
      remark: 'rows of a full buffer, in base64',
      ...lambdaGuide('Lambda quotas'),
    }),
  ]
}
