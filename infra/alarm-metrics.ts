import { Duration } from 'aws-cdk-lib'
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import type { CapturedTable } from './captured-table.js'
import type { LockFunction } from './lock-function.js'
import type { QueryWorkgroup } from './query-workgroup.js'

/** A statistic of each minute. */
export function perMinute(statistic: string) {
  return { statistic, period: Duration.minutes(1) }
}

/** What our own functions count of a table. */
export function ours(metricName: string) {
  return ({ configuration }: CapturedTable): IMetric =>
    new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { Table: configuration.table },
      ...perMinute(Stats.SUM),
    })
}

/** What Firehose counts of the stream that changes come by, or of the one that they are sent again by. */
export function firehose(metricName: string, statistic: string = Stats.SUM, by: 'delivery' | 'replay' = 'delivery') {
  return (captured: CapturedTable): IMetric => captured[by].stream.metric(metricName, perMinute(statistic))
}

/** What Lambda counts of a function of a table. */
export function lambda(which: 'transform' | 'forwarder', metricName: string) {
  return (captured: CapturedTable): IMetric => {
    const station = captured[which] as NonNullable<CapturedTable['forwarder']>
    return station.function.metric(metricName, perMinute(Stats.SUM))
  }
}

/** How old the newest record is that the forwarder was given, in milliseconds. */
export function iteratorAge({ forwarder }: CapturedTable): IMetric {
  return (forwarder as NonNullable<typeof forwarder>).function.metric('IteratorAge', perMinute(Stats.MAXIMUM))
}

/** In a shorter time many a write would be made that is read in the next. */
const UNREAD = Duration.hours(1)

/**
 * Above 0 where the table was written to and nothing of its stream was read. A mapping that is disabled, or reads a
 * stream that is no more, calls nobody, and then the age of what the forwarder is given is not measured at all.
 */
export function unread(captured: CapturedTable): IMetric {
  const { configuration } = captured
  return new MathExpression({
    expression: 'IF(FILL(polled, 0) > 0, 0, FILL(written, 0))',
    usingMetrics: {
      polled: mapping('PolledEventCount')(captured).with({ period: UNREAD }),
      written: new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: 'ConsumedWriteCapacityUnits',
        dimensionsMap: { TableName: configuration.table },
        statistic: Stats.SUM,
      }).with({ period: UNREAD }),
    },
    period: UNREAD,
  })
}

/** What Lambda counts of the mapping between a stream and the forwarder. */
export function mapping(metricName: string) {
  return ({ forwarder }: CapturedTable): Metric => {
    const EventSourceMappingUUID = (forwarder as NonNullable<typeof forwarder>).mapping.eventSourceMappingId
    return new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { EventSourceMappingUUID },
      ...perMinute(Stats.SUM),
    })
  }
}

/** The share of calls of the transform that fail, in per cent. */
export function transformFailures({ transform }: CapturedTable): IMetric {
  return new MathExpression({
    expression: '100 * errors / calls',
    usingMetrics: {
      errors: transform.function.metricErrors(perMinute(Stats.SUM)),
      calls: transform.function.metricInvocations(perMinute(Stats.SUM)),
    },
    period: Duration.minutes(1),
  })
}

/** The share of what Firehose takes a second, in per cent. */
export function nearLimit({ delivery }: CapturedTable): IMetric {
  return new MathExpression({
    expression: '100 * incoming / 60 / most',
    usingMetrics: {
      incoming: delivery.stream.metricIncomingBytes(perMinute(Stats.SUM)),
      most: delivery.stream.metric('BytesPerSecondLimit', perMinute(Stats.MINIMUM)),
    },
    period: Duration.minutes(1),
  })
}

/** What DynamoDB counts of its writing into a Kinesis stream. */
export function replication(metricName: string, of: 'SUM' | 'MAX') {
  return ({ configuration }: CapturedTable): IMetric =>
    new MathExpression({
      // by a query, because the other dimension's value (DelegatedOperation) is not documented
      expression: `SELECT ${of}(${metricName}) FROM SCHEMA("AWS/DynamoDB", DelegatedOperation, TableName) WHERE TableName = '${configuration.table}'`,
      usingMetrics: {},
      period: Duration.minutes(1),
    })
}

/** The most that a cancelled query had scanned. */
export function cancelledBytes({ resource }: QueryWorkgroup): IMetric {
  return new Metric({
    namespace: 'AWS/Athena',
    metricName: 'ProcessedBytes',
    dimensionsMap: { WorkGroup: resource.ref, QueryState: 'CANCELED', QueryType: 'DML' },
    ...perMinute(Stats.MAXIMUM),
  })
}

/** Events of objects that EventBridge could not hand over, neither at once nor in a day of attempts. */
export function eventsLost({ delivered }: LockFunction): IMetric {
  return new Metric({
    namespace: 'AWS/Events',
    metricName: 'FailedInvocations',
    dimensionsMap: { RuleName: delivered.ruleName },
    ...perMinute(Stats.SUM),
  })
}
