/** How far each station of a table is behind, by the metrics that its alarms watch, and how long nothing is lost. */
import { type CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch'
import { KINESIS_RETENTION_MS } from '../aws/kinesis-retention.js'
import { RETENTION_MS } from '../capture/gap.js'
import type { StackAlarm } from './stack-alarms.js'

/** A measurement, its time in milliseconds since 1970. */
interface Point {
  readonly time: number
  readonly value: number
}

/** What one of our alarms measures of a station. */
interface HopRule {
  readonly hop: string
  /** The alarm's heading in the runbook. */
  readonly heading: string
  /** Milliseconds that a unit of its metric is. */
  readonly unitMs: number
  /** How long what waits there is kept, in milliseconds. */
  readonly keepsMs: number
}

/** In the order in which a change passes them. */
const HOPS: readonly HopRule[] = [
  { hop: 'stream', heading: 'stream-behind', unitMs: 1, keepsMs: RETENTION_MS },
  { hop: 'replication', heading: 'replication-slow', unitMs: 1, keepsMs: KINESIS_RETENTION_MS },
  { hop: 'Kinesis', heading: 'kinesis-behind', unitMs: 1, keepsMs: KINESIS_RETENTION_MS },
  // what is handed to Firehose it keeps for a day (developer guide, "Data delivery failure handling")
  { hop: 'Firehose', heading: 'delivery-slow', unitMs: 1000, keepsMs: RETENTION_MS },
]

/** A station of a table, and how far it is behind. */
export interface Hop {
  readonly hop: string
  /** The newest measurement, in milliseconds; null where nothing came by for hours. */
  readonly lagMs: number | null
  /** When it was measured, in milliseconds since 1970. */
  readonly measured: number | null
  /** Above this its alarm goes up. */
  readonly limitMs: number
  /** True where the newest measurement is. */
  readonly isBehind: boolean
  /** Until what waits there is forgotten, from now on; null where nothing is known to wait. */
  readonly untilLossMs: number | null
}

/** How far the stations of a table are behind. */
export interface TableLag {
  /** Empty where no alarm of the stack watches the table: it is not captured by it. */
  readonly hops: readonly Hop[]
  /** Since when the table was written to and nothing of its stream was read; null where that is not so. */
  readonly unreadSince: number | null
  /** Until something is forgotten for good that is not in the archive, in milliseconds; null where nobody knows. */
  readonly untilLossMs: number | null
}

/** A measurement that is older than this says nothing of now. */
const RECENT_MS = 3 * 3_600_000

/** How long a write of the canary took into the archive, which nothing keeps. */
const CANARY: HopRule = { hop: 'canary', heading: 'canary-late', unitMs: 1000, keepsMs: Number.POSITIVE_INFINITY }

/** How long the canary's writes take from its table into the archive; undefined where a stack has none. */
export async function readCanaryLag(
  client: CloudWatchClient,
  alarms: readonly StackAlarm[],
  now: number,
): Promise<Hop | undefined> {
  const alarm = alarms.find(({ rule }) => rule?.heading === CANARY.heading)
  return alarm && measureHop(client, CANARY, alarm, now)
}

/** Measures the stations of a table by its alarms. Throws where CloudWatch does not answer, or not with everything. */
export async function readLag(
  client: CloudWatchClient,
  alarms: readonly StackAlarm[],
  table: string,
  now: number,
): Promise<TableLag> {
  const alarmOf = (heading: string) => alarms.find(({ rule }) => rule?.subject === table && rule.heading === heading)
  const hops: Hop[] = []
  for (const rule of HOPS) {
    const alarm = alarmOf(rule.heading)
    if (alarm !== undefined) hops.push(await measureHop(client, rule, alarm, now))
  }
  const unread = alarmOf('stream-unread')
  const unreadSince =
    unread === undefined
      ? null
      : findUnread(await readPoints(client, unread.metrics, { from: now - RETENTION_MS, to: now }), now)
  return { hops, unreadSince, untilLossMs: untilLoss(hops, unreadSince, now) }
}

async function measureHop(client: CloudWatchClient, rule: HopRule, alarm: StackAlarm, now: number): Promise<Hop> {
  const points = await readPoints(client, alarm.metrics, { from: now - RECENT_MS, to: now })
  return judgeHop(rule, alarm.threshold, pointsReturned(alarm.metrics, points), now)
}

/** What a station's newest measurement says. It went on falling behind since, if it was behind then. */
function judgeHop(rule: HopRule, threshold: number, points: readonly Point[], now: number): Hop {
  const { hop, unitMs, keepsMs } = rule
  const newest = points.toSorted((a, b) => b.time - a.time)[0]
  const limitMs = threshold * unitMs
  if (newest === undefined) return { hop, lagMs: null, measured: null, limitMs, isBehind: false, untilLossMs: null }
  const lagMs = newest.value * unitMs
  const isBehind = lagMs > limitMs
  const since = isBehind ? now - newest.time : 0
  return { hop, lagMs, measured: newest.time, limitMs, isBehind, untilLossMs: Math.max(0, keepsMs - lagMs - since) }
}

const HOUR_MS = 3_600_000
/** CloudWatch may know of the last minutes only later. */
const LATE_MS = 5 * 60_000

/**
 * The first hour after the last one in which anything of the stream was read, in which the table was written to; null
 * where there is none. An hour that is not over says nothing: what is written at its end is read in the next.
 */
function findUnread(points: ReadonlyMap<string, readonly Point[]>, now: number): number | null {
  const [polled, written] = ['polled', 'written'].map(id => (points.get(id) ?? []).filter(({ value }) => value > 0))
  const lastRead = Math.max(...(polled ?? []).map(({ time }) => time))
  const unread = (written ?? []).map(({ time }) => time).filter(time => time > lastRead)
  const since = Math.min(...unread.filter(time => time + HOUR_MS + LATE_MS <= now))
  return Number.isFinite(since) ? since : null
}

function untilLoss(hops: readonly Hop[], unreadSince: number | null, now: number): number | null {
  const unread = unreadSince === null ? [] : [Math.max(0, unreadSince + RETENTION_MS - now)]
  const least = Math.min(...unread, ...hops.flatMap(({ untilLossMs }) => untilLossMs ?? []))
  return Number.isFinite(least) ? least : null
}

/** What the alarm itself looks at; the others are what it is reckoned from. */
function pointsReturned(metrics: readonly MetricDataQuery[], points: ReadonlyMap<string, readonly Point[]>) {
  const { Id = '' } = metrics.find(({ ReturnData }) => ReturnData !== false) ?? {}
  return points.get(Id) ?? []
}

/** Each metric's measurements, by its id. */
async function readPoints(
  client: CloudWatchClient,
  metrics: readonly MetricDataQuery[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<ReadonlyMap<string, readonly Point[]>> {
  const points = new Map<string, Point[]>()
  const asked = {
    MetricDataQueries: metrics.map(metric => ({ ...metric, ReturnData: true })),
    StartTime: new Date(from),
    EndTime: new Date(to),
  }
  let NextToken: string | undefined
  do {
    const page = await client.send(new GetMetricDataCommand({ ...asked, NextToken }))
    for (const { Id = '', Timestamps = [], Values = [], StatusCode, Messages = [] } of page.MetricDataResults ?? []) {
      if (StatusCode === 'Forbidden' || StatusCode === 'InternalError')
        throw new Error(
          `metric ${Id} was not measured: ${[StatusCode, ...Messages.map(({ Value }) => Value)].join(': ')}`,
        )
      const measured = Timestamps.map((time, i) => ({ time: time.getTime(), value: Values[i] as number }))
      points.set(Id, [...(points.get(Id) ?? []), ...measured])
    }
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return points
}
