import { Duration } from 'aws-cdk-lib'
import {
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import type { CapturedTable } from './captured-table.js'
import { REFUSED_METRIC } from './transform-function.js'

const PERIOD = Duration.minutes(5)

/**
 * A page for each table in the order that an engineer on call looks: is anything lost, how late is it, does as much go
 * out as comes in, what does it cost.
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, table: CapturedTable) {
    super(scope, id)
    const dashboard = new CloudWatchDashboard(this, 'Dashboard', { defaultInterval: Duration.hours(12) })
    for (const { title, help, graphs } of rowsOf(table)) {
      dashboard.addWidgets(new TextWidget({ markdown: `## ${title}\n${help}`, width: 24, height: 2 }))
      dashboard.addWidgets(
        ...graphs.map(
          ([name, metrics]) => new GraphWidget({ title: name, left: [...metrics], width: 24 / graphs.length }),
        ),
      )
    }
  }
}

interface DashboardRow {
  readonly title: string
  readonly help: string
  readonly graphs: readonly (readonly [title: string, metrics: readonly IMetric[]])[]
}

function rowsOf(table: CapturedTable): readonly DashboardRow[] {
  return [lossOf(table), lagOf(table), throughputOf(table), costOf(table)]
}

function lossOf(table: CapturedTable): DashboardRow {
  const { transform, forwarder } = table
  const errors = [transform, ...(forwarder === undefined ? [] : [forwarder])].map(it => it.function.metricErrors())
  return {
    title: `${table.configuration.table}: loss`,
    help: 'All of it should be nothing. What is refused is kept and can be sent again with `itemtrail redrive`.',
    graphs: [
      [
        'Refused',
        [ours(table, REFUSED_METRIC), firehose(table, 'FailedConversion.Records'), ours(table, 'RecordsOversize')],
      ],
      ['Not accepted by Firehose', [ours(table, 'RecordsLeft'), firehose(table, 'ThrottledRecords')]],
      ['Function errors', errors],
    ],
  }
}

function lagOf(table: CapturedTable): DashboardRow {
  const { changeStream, forwarder } = table
  const behind =
    changeStream === undefined
      ? forwarder?.function.metric('IteratorAge', { statistic: Stats.MAXIMUM, period: PERIOD })
      : firehose(table, 'KinesisMillisBehindLatest', Stats.MAXIMUM)
  return {
    title: 'Lag',
    help: 'From the table to the stream, and from Firehose to the archive; the buffer interval is part of it.',
    graphs: [
      ['Behind the table (ms)', behind === undefined ? [] : [behind]],
      ['Waiting in Firehose (s)', [firehose(table, 'DeliveryToS3.DataFreshness', Stats.MAXIMUM)]],
    ],
  }
}

function throughputOf(table: CapturedTable): DashboardRow {
  const { changeStream } = table
  const through = ['IncomingRecords', 'SucceedProcessing.Records', 'DeliveryToS3.Records']
  return {
    title: 'Throughput',
    help:
      'As much must go out as comes in. A pack holds several changes, so Firehose counts fewer records than the ' +
      'forwarder.',
    graphs: [
      changeStream === undefined
        ? ['Changes in, accepted', [ours(table, 'RecordsReceived'), ours(table, 'RecordsAccepted')]]
        : ['Changes in', [changeStream.stream.metricIncomingRecords({ statistic: Stats.SUM, period: PERIOD })]],
      ['Firehose in, transformed, delivered', through.map(metric => firehose(table, metric))],
      ['Objects written', [firehose(table, 'DeliveryToS3.ObjectCount')]],
    ],
  }
}

function costOf(table: CapturedTable): DashboardRow {
  const { transform, forwarder } = table
  const times = [transform, ...(forwarder === undefined ? [] : [forwarder])].map(it => it.function.metricDuration())
  const size = ratio(firehose(table, 'DeliveryToS3.Bytes'), firehose(table, 'DeliveryToS3.ObjectCount'))
  return {
    title: 'Cost',
    help:
      'Firehose bills each record rounded up to 5 KB, and the same again for conversion; small objects make Athena ' +
      'slow and dear.',
    graphs: [
      ['Bytes into Firehose', [firehose(table, 'IncomingBytes')]],
      ['Bytes of an object', [size]],
      ['Function time (ms)', times],
    ],
  }
}

function ours({ configuration }: CapturedTable, metricName: string): IMetric {
  const dimensionsMap = { Table: configuration.table }
  return new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, statistic: Stats.SUM, period: PERIOD })
}

function firehose({ delivery }: CapturedTable, metricName: string, statistic: string = Stats.SUM): IMetric {
  return delivery.stream.metric(metricName, { statistic, period: PERIOD })
}

function ratio(bytes: IMetric, objects: IMetric): IMetric {
  return new MathExpression({
    expression: 'bytes / objects',
    usingMetrics: { bytes, objects },
    label: 'bytes an object',
    period: PERIOD,
  })
}
