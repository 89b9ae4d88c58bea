/** The alarms of the stack itself, held against what was measured in a world. */
import type { Duration } from 'aws-cdk-lib'
import { type IMetric, type MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { BUFFER } from '../aws/firehose-buffer.js'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import type { AlarmRule } from '../infra/alarm-rule.js'
import { ALARMS } from '../infra/alarms.js'
import type { CapturedTable } from '../infra/captured-table.js'
import type { Journal } from '../infra/journal.js'
import type { LockFunction } from '../infra/lock-function.js'
import { JOURNAL_METRICS } from '../journal/journal-metrics.js'
import type { Metrics, Minute } from './metrics.js'
import type { Scenario } from './scenario.js'
import { endOf, MINUTE_MS, START_MS } from './times.js'

/** An alarm as it is watched here: its threshold and times are the stack's, its values come from the world. */
interface Watched {
  readonly name: string
  /** What it looks at, in a word. */
  readonly metric: string
  readonly threshold: number
  readonly below: boolean
  readonly minutes: readonly [number, number]
  /** How many minutes a period has. */
  readonly period: number
  readonly values: (metrics: Metrics) => Values
  /** True where it goes off, too, when nothing is measured. */
  readonly isOfSilence: boolean
}

/** By the number of its period since 1970; a period without a value is missing. */
type Values = ReadonlyMap<number, number>

/** The metrics of the world by what the stack calls them. */
const ROOMS = { 'AWS/Firehose': 'Firehose', 'AWS/Events': 'Events', [METRICS_NAMESPACE]: 'ours' } as const

const metricIn = (namespace: string) => (metricName: string, props: object) =>
  new Metric({ namespace, metricName, ...props })

/** Both of a table's streams: what the one measures in a world, the other does. */
const FIREHOSE = {
  stream: { metric: metricIn('AWS/Firehose'), metricIncomingBytes: metricOf('AWS/Firehose', 'IncomingBytes') },
}

/** A captured table as far as the metrics of its alarms look at it. */
const STATION = {
  configuration: { table: 'Orders' },
  buffer: BUFFER,
  delivery: FIREHOSE,
  replay: FIREHOSE,
  transform: functionNamed('Lambda transform'),
  forwarder: { ...functionNamed('Lambda forwarder'), mapping: { eventSourceMappingId: 'mapping' } },
} as unknown as CapturedTable

function functionNamed(name: string) {
  return {
    function: {
      metric: metricIn(name),
      metricErrors: metricOf(name, 'Errors'),
      metricInvocations: metricOf(name, 'Invocations'),
    },
  }
}

/** The stations of locks as far as their metrics are made of them. */
const LOCKS = {
  ...functionNamed('Lambda locker'),
  waiting: { metricApproximateAgeOfOldestMessage: metricOf('sqs waiting', 'ApproximateAgeOfOldestMessage') },
  failed: { metricApproximateNumberOfMessagesVisible: metricOf('sqs failed', 'ApproximateNumberOfMessagesVisible') },
  delivered: { ruleName: 'Delivered' },
} as unknown as LockFunction

/** A journal as far as its metrics are made of it. */
const JOURNAL = {
  metric: (which: keyof typeof JOURNAL_METRICS, period: Duration) =>
    new Metric({ namespace: 'journal', metricName: JOURNAL_METRICS[which], statistic: Stats.SUM, period }),
} as unknown as Journal

function metricOf(namespace: string, metricName: string) {
  return (props: object) => metricIn(namespace)(metricName, props)
}

function watchedOf<Station>(rule: AlarmRule<Station>, station: Station): readonly Watched[] {
  const metric: IMetric = rule.metric(station)
  const values = metric instanceof Metric ? valuesOf(metric) : MATHS[rule.name]
  if (values === undefined && NOT_RECKONED.has(rule.name)) return []
  if (values === undefined) throw new Error(`alarm ${rule.name} is over several metrics, expected it in MATHS`)
  const { name, threshold, below = false, minutes, silence } = rule
  const limit = typeof threshold === 'number' ? threshold : threshold(station)
  const period = (metric as Metric | MathExpression).period.toMinutes()
  const what = metric instanceof Metric ? metric.metricName : 'what it reckons'
  return [{ name, metric: what, threshold: limit, below, minutes, period, values, isOfSilence: silence === 'alarm' }]
}

/** How near Firehose is to its limit: the world of a simulation has none. */
const NOT_RECKONED: ReadonlySet<string> = new Set(['firehose-near-limit'])

/** The alarms over two metrics. */
const MATHS: { readonly [alarm: string]: (metrics: Metrics) => Values } = {
  'transform-down': metrics => {
    const errors = periodsOf(metrics.minutesOf('Lambda transform Errors'), 1)
    const calls = periodsOf(metrics.minutesOf('Lambda transform Invocations'), 1)
    return new Map([...errors].map(([at, { sum }]) => [at, (100 * sum) / (calls.get(at)?.sum ?? sum)]))
  },
  'change-skipped': replicated('FailedToReplicateRecordCount', 'sum'),
  'replication-slow': replicated('AgeOfOldestUnreplicatedRecord', 'max'),
  'replication-late': replicated('AgeOfOldestUnreplicatedRecord', 'max'),
  'replication-throttles': replicated('ThrottledPutRecordCount', 'sum'),
  'stream-unread': metrics => {
    const polled = periodsOf(metrics.minutesOf('Lambda mapping PolledEventCount'), 60)
    const written = periodsOf(metrics.minutesOf('DynamoDB ConsumedWriteCapacityUnits'), 60)
    return new Map([...written].map(([at, { sum }]) => [at, (polled.get(at)?.sum ?? 0) > 0 ? 0 : sum]))
  },
}

/** What DynamoDB counts of its writing into a Kinesis stream, which the stack asks for by a query. */
function replicated(metricName: string, of: 'sum' | 'max'): (metrics: Metrics) => Values {
  return metrics => {
    const minutes = periodsOf(metrics.minutesOf(`DynamoDB ${metricName}`), 1)
    return new Map([...minutes].map(([at, minute]) => [at, minute[of]]))
  }
}

function valuesOf({ namespace, metricName, statistic, dimensions, period }: Metric): (metrics: Metrics) => Values {
  const isMapping = namespace === 'AWS/Lambda' && dimensions !== undefined
  const room = isMapping ? 'Lambda mapping' : (ROOMS[namespace as keyof typeof ROOMS] ?? namespace)
  const value = ({ sum, max, count }: Minute) =>
    statistic === 'Maximum' ? max : statistic === 'Average' ? sum / count : sum
  return metrics => {
    const periods = periodsOf(metrics.minutesOf(`${room} ${metricName}`), period.toMinutes())
    return new Map([...periods].map(([at, minute]) => [at, value(minute)]))
  }
}

/** Minutes put together into longer periods. */
function periodsOf(minutes: ReadonlyMap<number, Readonly<Minute>>, length: number): ReadonlyMap<number, Minute> {
  const periods = new Map<number, Minute>()
  for (const [at, { sum, max, count }] of minutes) {
    const period = Math.floor(at / length)
    const known = periods.get(period) ?? { sum: 0, max: Number.NEGATIVE_INFINITY, count: 0 }
    periods.set(period, { sum: known.sum + sum, max: Math.max(known.max, max), count: known.count + count })
  }
  return periods
}

const WATCHED = {
  both: ALARMS.both.flatMap(rule => watchedOf(rule, STATION)),
  streams: ALARMS.streams.flatMap(rule => watchedOf(rule, STATION)),
  kinesis: ALARMS.kinesis.flatMap(rule => watchedOf(rule, STATION)),
  locks: ALARMS.locks.flatMap(rule => watchedOf(rule, LOCKS)),
  journal: ALARMS.journal.flatMap(rule => watchedOf(rule, JOURNAL)),
} as const

/** Every alarm that went off, with the minutes since 1970 at whose end it did. */
export type Fired = ReadonlyMap<string, readonly number[]>

/** How many minutes a period has of each alarm, by its name. */
export const PERIODS: ReadonlyMap<string, number> = new Map(
  Object.values(WATCHED).flatMap(list => list.map(({ name, period }) => [name, period] as const)),
)

/** The alarms that went off, by when they were on. */
export function alarmsOf(spans: Spans): Fired {
  return new Map([...spans].map(([name, all]) => [name, all.map(({ fromMs }) => fromMs / MINUTE_MS - 1)]))
}

/** From when to when an alarm is on, in milliseconds since 1970. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** When each alarm that went off was on, by its name. */
export type Spans = ReadonlyMap<string, readonly Span[]>

/**
 * Of each alarm from the end of each period at which it goes off to that of the first at which too few of the last are
 * over. A desk has none.
 */
export function spansOf(metrics: Metrics, scenario: Scenario): Spans {
  const found = watchedIn(scenario).map(watched => {
    const [, of] = watched.minutes
    const endMs = (at: number) => (at + 1) * watched.period * MINUTE_MS
    const times = firing(breachesOf(watched, metrics, scenario), watched.minutes)
    return [watched.name, times.map(({ at, oldest }) => ({ fromMs: endMs(at), toMs: endMs(oldest + of) }))] as const
  })
  return new Map(found.filter(([, spans]) => spans.length > 0))
}

/** True where one of some alarms was on at some time from a moment to another. */
export function isOn(spans: Spans, names: readonly string[], fromMs: number, toMs: number): boolean {
  return names.some(name => (spans.get(name) ?? []).some(span => span.fromMs <= toMs && fromMs < span.toMs))
}

/** An alarm that goes off at a moment, in milliseconds since 1970, and why it does. */
export interface GoingOff {
  readonly name: string
  readonly atMs: number
  readonly why: string
}

/** The same for whoever reads the story; of an alarm that stays on, where that begins. */
export function goingOff(metrics: Metrics, scenario: Scenario): readonly GoingOff[] {
  return watchedIn(scenario).flatMap(watched => {
    const { name, metric, threshold, below, minutes, period, values } = watched
    const known = values(metrics)
    const times = firing(breachesOf(watched, metrics, scenario), minutes).map(({ at }) => at)
    const begins = times.filter((at, i) => times[i - 1] !== at - 1)
    return begins.map(at => ({
      name,
      atMs: (at + 1) * period * MINUTE_MS,
      why: `${metric} is ${known.get(at) ?? 'not measured'}, ${below ? 'below' : 'above'} ${threshold}`,
    }))
  })
}

function watchedIn({ path, capture, isSealed }: Scenario): readonly Watched[] {
  const ofJournal = isSealed ? WATCHED.journal : []
  return path === 'desk' ? [] : [...WATCHED.both, ...WATCHED[capture], ...WATCHED.locks, ...ofJournal]
}

/** The periods that are over the threshold, rising; of silence, those without a value in all of the world's time. */
function breachesOf(
  { values, threshold, below, period, isOfSilence }: Watched,
  metrics: Metrics,
  scenario: Scenario,
): readonly number[] {
  const known = values(metrics)
  const over = [...known].filter(([, value]) => (below ? value < threshold : value > threshold)).map(([at]) => at)
  if (isOfSilence) {
    const [first, end] = [START_MS, endOf(scenario)].map(ms => Math.floor(ms / MINUTE_MS / period)) as [number, number]
    for (let at = first; at < end; at++) if (!known.has(at)) over.push(at)
  }
  return over.sort((a, b) => a - b)
}

/** A period at whose end an alarm is on, and the oldest of those over the threshold that it takes for that. */
interface Firing {
  readonly at: number
  readonly oldest: number
}

/** The periods at which as many of the last ones were over the threshold as it takes; a silent one is not. */
function firing(breaches: readonly number[], [wanted, of]: readonly [number, number]): readonly Firing[] {
  return breaches.flatMap((at, i) => {
    const oldest = breaches[i - wanted + 1]
    return oldest !== undefined && at - oldest < of ? [{ at, oldest }] : []
  })
}
