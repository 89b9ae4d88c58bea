/** What a month costs, part by part, with the arithmetic of each. */

import { costOfAmount, costOfIngestion, GB, PRICES, type PriceName } from '../aws/prices.js'
import { LOCK_SECONDS, LOG_BYTES } from './assumptions.js'
import { MONTH_HOURS } from './capacity.js'
import { DEPLOYED } from './deployed.js'
import type { Calls, CaptureKind, Flow } from './flow.js'
import type { Traffic } from './traffic.js'

/** One line of a bill. */
export interface Part {
  readonly part: string
  /** True where it is paid without a single change. */
  readonly fixed: boolean
  readonly usd: number
  readonly arithmetic: string
  readonly source: string
  readonly date: string
}

export interface Bill {
  readonly capture: CaptureKind
  readonly parts: readonly Part[]
  /** All of it, without storage, which grows. */
  readonly usdAMonth: number
  /** What changes cost, by the million: without what is paid for nothing. */
  readonly usdAMillion: number
  /** Firehose's part of it. */
  readonly firehoseUsdAMillion: number
}

/** What something adds to the bill that not every archive has, whatever carries the changes. */
export interface AddedBill {
  readonly parts: readonly Part[]
  readonly usdAMonth: number
}

const FIREHOSE = 'Firehose, '

export function billOf(flow: Flow, traffic: Traffic): Bill {
  const parts = [
    ...(flow.capture === 'kinesis' ? kinesisParts(flow, traffic) : forwarderParts(flow)),
    ...firehoseParts(flow),
    ...functionParts('transform', flow.transform),
    ...objectParts(flow),
    logs(flow),
    ...fixedParts(flow),
  ]
  const changing = parts.filter(({ fixed }) => !fixed)
  const millions = flow.changes / 1e6
  return {
    capture: flow.capture,
    parts,
    usdAMonth: sum(parts),
    usdAMillion: sum(changing) / millions,
    firehoseUsdAMillion: sum(changing.filter(({ part }) => part.startsWith(FIREHOSE))) / millions,
  }
}

function forwarderParts({ forwarder }: Flow): readonly Part[] {
  const stream: Part = {
    part: 'DynamoDB stream, read by Lambda',
    fixed: false,
    usd: 0,
    arithmetic: 'free for Lambda',
    source: 'Amazon DynamoDB developer guide, "Evaluate your DynamoDB streams usage"',
    date: '2026-04',
  }
  return [stream, ...functionParts('forwarder', forwarder as Calls)]
}

function kinesisParts({ changes }: Flow, { units, kinesisBilledBytes }: Traffic): readonly Part[] {
  const gb = (changes * kinesisBilledBytes) / GB
  const months = ((DEPLOYED.kinesisRetentionDays - 1) * 24) / MONTH_HOURS
  return [
    line('DynamoDB, change data capture', changes * units, 'units'),
    line('Kinesis, in', gb, 'GB'),
    line('Kinesis, out', gb, 'GB'),
    line('Kinesis, kept beyond a day', gb * months, 'GB-months'),
  ]
}

function firehoseParts({ changes, billedBytes, objectsADay }: Flow): readonly Part[] {
  const gb = (changes * billedBytes) / GB
  const name = 'Firehose, taken in, to 500 TB a month'
  const ingestion = { ...line(name, gb, 'GB'), part: 'Firehose, taken in', usd: costOfIngestion(gb) }
  return [
    gb > 500 * 1024 ? { ...ingestion, arithmetic: `${figure(gb)} GB in tiers of $0.029, $0.025 and $0.02` } : ingestion,
    line('Firehose, conversion to Parquet', gb, 'GB'),
    line('Firehose, dynamic partitioning', gb, 'GB'),
    line('Firehose, partitioned objects', (objectsADay * 365) / 12, 'objects'),
  ]
}

function functionParts(name: string, { calls, gbSeconds }: Calls): readonly Part[] {
  return [
    { ...line('Lambda, requests', calls, 'requests'), part: `${name}, requests` },
    { ...line('Lambda, arm64', gbSeconds, 'GB-seconds'), part: `${name}, running` },
  ]
}

/** Each object is put, told to the lock function by a queue, and locked: two requests of S3, three of SQS. */
function objectParts({ objectsADay }: Flow): readonly Part[] {
  const objects = (objectsADay * 365) / 12
  const gbSeconds = (objects * LOCK_SECONDS * DEPLOYED.lock.memoryMb) / 1024
  return [
    { ...line('S3, put', 2 * objects, 'requests'), part: 'S3, writing and locking objects' },
    { ...line('SQS, requests', 3 * objects, 'requests'), part: 'queue of objects to lock' },
    ...functionParts('lock', { calls: objects, gbSeconds, concurrency: 1 }),
  ]
}

function logs({ forwarder, transform, objectsADay }: Flow): Part {
  const bytes =
    (forwarder?.calls ?? 0) * LOG_BYTES.forwarder +
    transform.calls * LOG_BYTES.transform +
    ((objectsADay * 365) / 12) * LOG_BYTES.lock
  return { ...line('CloudWatch, logs', bytes / GB, 'GB'), part: 'logs of the functions' }
}

function fixedParts({ capture }: Flow): readonly Part[] {
  const own = capture === 'kinesis' ? 'kinesis' : 'streams'
  const parts = [
    line('KMS, key', 1, 'key'),
    line('CloudWatch, alarm', DEPLOYED.alarmMetrics[own] + DEPLOYED.alarmMetrics.archive, 'metrics'),
    line('CloudWatch, own metric', DEPLOYED.ownMetrics[own] + DEPLOYED.ownMetrics.archive, 'metrics'),
    line('CloudWatch, dashboard', 1, 'dashboard'),
    ...(own === 'kinesis' ? [line('Kinesis, stream', MONTH_HOURS, 'hours')] : []),
  ]
  return parts.map(part => ({ ...part, fixed: true }))
}

/** One line of a bill, with its arithmetic. */
export function line(name: PriceName, amount: number, unit: string): Part {
  const { usd, units, source, date } = PRICES[name]
  const per = units === 1 ? '' : ` / ${units.toLocaleString('en-US')}`
  return {
    part: name,
    fixed: false,
    usd: costOfAmount(name, amount),
    arithmetic: `${figure(amount)} ${unit}${per} × $${usd}`,
    source,
    date,
  }
}

/** A figure with three digits that count, or all of a whole number's. */
export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** What parts come to. */
export function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { usd }) => total + usd, 0)
}
