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
import { METRICS_NAMESPACE } from '../capture/metrics.js'
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
  const { forwarder, changeStream, transform, delivery, configuration } = table
  const ours = (metricName: string) =>
    new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { Table: configuration.table },
      statistic: Stats.SUM,
      period: PERIOD,
    })
  const firehose = (metricName: string, statistic: string = Stats.SUM) =>
    delivery.stream.metric(metricName, { statistic, period: PERIOD })
  const errors = [
    transform.function.metricErrors(),
    ...(forwarder === undefined ? [] : [forwarder.function.metricErrors()]),
  ]
  return [
    {
      title: `${configuration.table}: loss`,
      help: 'All of it should be nothing. What is refused is kept and can be sent again with `itemtrail redrive`.',
      graphs: [
        ['Refused', [ours(REFUSED_METRIC), firehose('FailedConversion.Records'), ours('RecordsOversize')]],
        ['Not accepted by Firehose', [ours('RecordsLeft'), firehose('ThrottledRecords')]],
        ['Function errors', errors],
      ],
    },
    {
      title: 'Lag',
      help: 'From the table to the stream, and from Firehose to the archive; the buffer interval is part of it.',
      graphs: [
        [
          'Behind the table (ms)',
          changeStream === undefined
            ? forwarder === undefined
              ? []
              : [forwarder.function.metric('IteratorAge', { statistic: Stats.MAXIMUM, period: PERIOD })]
            : [firehose('KinesisMillisBehindLatest', Stats.MAXIMUM)],
        ],
        ['Waiting in Firehose (s)', [firehose('DeliveryToS3.DataFreshness', Stats.MAXIMUM)]],
      ],
    },
    {
      title: 'Throughput',
      help: 'As much must go out as comes in. A pack holds several changes, so Firehose counts fewer records than the forwarder.',
      graphs: [
        changeStream === undefined
          ? ['Changes in, accepted', [ours('RecordsReceived'), ours('RecordsAccepted')]]
          : ['Changes in', [changeStream.stream.metricIncomingRecords({ statistic: Stats.SUM, period: PERIOD })]],
        [
          'Firehose in, transformed, delivered',
          [firehose('IncomingRecords'), firehose('SucceedProcessing.Records'), firehose('DeliveryToS3.Records')],
        ],
        ['Objects written', [firehose('DeliveryToS3.ObjectCount')]],
      ],
    },
    {
      title: 'Cost',
      help: 'Firehose bills each record rounded up to 5 KB, and the same again for conversion; small objects make Athena slow and dear.',
      graphs: [
        ['Bytes into Firehose', [firehose('IncomingBytes')]],
        ['Bytes of an object', [ratio(firehose('DeliveryToS3.Bytes'), firehose('DeliveryToS3.ObjectCount'))]],
        [
          'Function time (ms)',
          [
            transform.function.metricDuration(),
            ...(forwarder === undefined ? [] : [forwarder.function.metricDuration()]),
          ],
        ],
      ],
    },
  ]
}

function ratio(bytes: IMetric, objects: IMetric): IMetric {
  return new MathExpression({
    expression: 'bytes / objects',
    usingMetrics: { bytes, objects },
    label: 'bytes an object',
    period: PERIOD,
  })
}
