/** The alarms of a stack, as CloudWatch has them now. What they measure is told by them, too. */
import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  type MetricAlarm,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch'

/** What the text of one of our own alarms says. */
export interface AlarmText {
  /** Its heading in the runbook. */
  readonly heading: string
  readonly severity: string
  /** The table that it is of, or `archive`. */
  readonly subject: string
}

/** An alarm of a stack. */
export interface StackAlarm {
  /** What CloudWatch calls it. */
  readonly name: string
  /** Undefined of an alarm that somebody else put into the stack. */
  readonly rule: AlarmText | undefined
  /** What it means that it is up. */
  readonly meaning: string
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  /** Since when it is so, in milliseconds since 1970; undefined where CloudWatch does not say. */
  readonly since: number | undefined
  /** Why, in the words of CloudWatch. */
  readonly reason: string
  /** False where somebody switched its actions off: it goes up, and nobody is told. */
  readonly tells: boolean
  readonly threshold: number
  /** What it watches, as it can be asked for. */
  readonly metrics: readonly MetricDataQuery[]
}

/** The alarms that are there, and the names of those that are not. */
export interface AlarmsFound {
  readonly alarms: readonly StackAlarm[]
  /** Somebody deleted them. */
  readonly gone: readonly string[]
}

/** DescribeAlarms takes so many names at once (API reference). */
const MOST_NAMES = 100

/** Reads alarms by name. Throws where CloudWatch does not answer. */
export async function readAlarms(client: CloudWatchClient, names: readonly string[]): Promise<AlarmsFound> {
  const alarms: StackAlarm[] = []
  for (let i = 0; i < names.length; i += MOST_NAMES) {
    const AlarmNames = names.slice(i, i + MOST_NAMES)
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNames, MaxRecords: MOST_NAMES }))
    alarms.push(...MetricAlarms.map(toAlarm))
  }
  const found = new Set(alarms.map(({ name }) => name))
  return { alarms, gone: names.filter(name => !found.has(name)) }
}

function toAlarm(alarm: MetricAlarm): StackAlarm {
  const { AlarmName: name = '', AlarmDescription: text = '', StateTransitionedTimestamp, StateUpdatedTimestamp } = alarm
  const own = OWN_TEXT.exec(text)?.groups
  return {
    name,
    rule: own && { heading: `${own.heading}`, severity: `${own.severity}`, subject: `${own.subject}` },
    meaning: own?.meaning ?? text,
    state: alarm.StateValue ?? 'INSUFFICIENT_DATA',
    since: (StateTransitionedTimestamp ?? StateUpdatedTimestamp)?.getTime(),
    reason: alarm.StateReason ?? '',
    tells: alarm.ActionsEnabled !== false && (alarm.AlarmActions ?? []).length > 0,
    threshold: alarm.Threshold ?? Number.NaN,
    metrics: metricsOf(alarm),
  }
}

/** As `infra/alarms.ts` words it. No table's name has a colon. */
const OWN_TEXT =
  /^\[(?<severity>page|warn)\] (?<subject>[^:]+): (?<meaning>.*)\. docs\/runbook\.md, (?<heading>[a-z-]+)$/s

function metricsOf(alarm: MetricAlarm): readonly MetricDataQuery[] {
  const { Namespace, MetricName, Dimensions, Period, Statistic, ExtendedStatistic, Metrics = [] } = alarm
  if (Metrics.length > 0) return Metrics
  const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period, Stat: Statistic ?? ExtendedStatistic }
  return [{ Id: 'watched', MetricStat }]
}
