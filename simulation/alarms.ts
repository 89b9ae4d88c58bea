/** The alarms of the stack itself, held against what was measured in a world. */
import { type IMetric, type MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { BUFFER } from '../aws/firehose-buffer.js'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import type { AlarmRule } from '../infra/alarm-rule.js'
import { ALARMS } from '../infra/alarms.js'
import type { CapturedTable } from '../infra/captured-table.js'
import type { LockFunction } from '../infra/lock-function.js'
import type { Metrics, Minute } from './metrics.js'
import type { Scenario } from './scenario.js'

/** An alarm as it is watched here: its threshold and times are the stack's, its values come from the world. */
interface Watched {
  readonly name: string
  readonly threshold: number
  readonly below: boolean
  readonly minutes: readonly [number, number]
  /** How many minutes a period has. */
  readonly period: number
  readonly values: (metrics: Metrics) => Values
}

/** By the number of its period since 1970; a period without a value is missing. */
type Values = ReadonlyMap<number, number>

/** The metrics of the world by what the stack calls them. */
const ROOMS = { 'AWS/Firehose': 'Firehose', 'AWS/Events': 'Events', [METRICS_NAMESPACE]: 'ours' } as const

const metricIn = (namespace: string) => (metricName: string, props: object) =>
  new Metric({ namespace, metricName, ...props })

/** A captured table as far as the metrics of its alarms look at it. */
const STATION = {
  configuration: { table: 'Orders' },
  buffer: BUFFER,
  delivery: {
    stream: {
      metric: metricIn('AWS/Firehose'),
      metricIncomingBytes: metricOf('AWS/Firehose', 'IncomingBytes'),
    },
  },
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

function metricOf(namespace: string, metricName: string) {
  return (props: object) => metricIn(namespace)(metricName, props)
}

function watchedOf<Station>(rule: AlarmRule<Station>, station: Station): readonly Watched[] {
  const metric: IMetric = rule.metric(station)
  const values = metric instanceof Metric ? valuesOf(metric) : MATHS[rule.name]
  if (values === undefined && NOT_RECKONED.has(rule.name)) return []
  if (values === undefined) throw new Error(`alarm ${rule.name} is over several metrics, expected it in MATHS`)
  const { name, threshold, below = false, minutes } = rule
  const limit = typeof threshold === 'number' ? threshold : threshold(station)
  const period = (metric as Metric | MathExpression).period.toMinutes()
  return [{ name, threshold: limit, below, minutes, period, values }]
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
} as const

/** Every alarm that went off, with the minutes since 1970 at whose end it did. */
export type Fired = ReadonlyMap<string, readonly number[]>

/** The alarms of a world that went off. A desk has none. */
export function alarmsOf(metrics: Metrics, { path, capture }: Scenario): Fired {
  const fired = new Map<string, readonly number[]>()
  const watched = path === 'desk' ? [] : [...WATCHED.both, ...WATCHED[capture], ...WATCHED.locks]
  for (const { name, values, threshold, below, minutes, period } of watched) {
    const over = [...values(metrics)].filter(([, value]) => (below ? value < threshold : value > threshold))
    const times = firing(
      over.map(([at]) => at).sort((a, b) => a - b),
      minutes,
    )
    if (times.length > 0)
      fired.set(
        name,
        times.map(at => (at + 1) * period - 1),
      )
  }
  return fired
}

/** The last minute at whose end one of some alarms went off; 0 where none did. */
export function lastOf(fired: Fired, names: readonly string[]): number {
  return Math.max(...names.map(name => fired.get(name)?.at(-1) ?? 0))
}

/** The periods at which as many of the last ones were over the threshold as it takes; a silent one is not. */
function firing(breaches: readonly number[], [wanted, of]: readonly [number, number]): readonly number[] {
  return breaches.filter((at, i) => {
    const first = breaches[i - wanted + 1]
    return first !== undefined && at - first < of
  })
}
