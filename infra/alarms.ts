import { Alarm, ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { KINESIS_RETENTION_MS } from '../aws/kinesis-retention.js'
import {
  cancelledBytes,
  eventsLost,
  firehose,
  iteratorAge,
  lambda,
  mapping,
  nearLimit,
  ours,
  perMinute,
  replication,
  transformFailures,
  unread,
} from './alarm-metrics.js'
import type { AlarmRule, Severity } from './alarm-rule.js'
import { CANARY_ALARMS } from './canary-alarms.js'
import type { CapturedTable } from './captured-table.js'
import { JOURNAL_ALARMS } from './journal-alarms.js'
import type { LockFunction } from './lock-function.js'
import type { PersonKeys } from './person-keys.js'
import { bytes, type QueryWorkgroup } from './query-workgroup.js'
import { RECONCILIATION_ALARMS } from './reconciliation-alarms.js'
import type { RefusedWatch } from './refused-watch.js'
import type { TableCompaction } from './table-compaction.js'
import { REFUSED_METRIC } from './transform-function.js'

const [MINUTE, HOUR] = [60_000, 3_600_000]

const FIRST_TIME = [1, 1] as const
const THREE_OF_FIVE = [3, 5] as const

const both: readonly AlarmRule<CapturedTable>[] = [
  rule(
    'record-refused',
    'page',
    'a record could not be understood and waits under refused/',
    ours(REFUSED_METRIC),
    0,
    FIRST_TIME,
  ),
  rule(
    'conversion-failed',
    'page',
    'rows could not be converted to Parquet and wait under refused/',
    firehose('FailedConversion.Records'),
    0,
    FIRST_TIME,
  ),
  // Firehose makes its four tries with a batch at once, then refuses it: where changes are rare, one minute has all
  rule('transform-errors', 'warn', 'the transform function fails', lambda('transform', 'Errors'), 0, FIRST_TIME),
  rule(
    'transform-throttles',
    'warn',
    'the transform function is throttled',
    lambda('transform', 'Throttles'),
    // of four tries in two minutes, or in three, one minute has two
    1,
    FIRST_TIME,
  ),
  rule(
    'transform-down',
    'page',
    'every call of the transform function fails: what it gets goes to refused/',
    transformFailures,
    99,
    [10, 10],
  ),
  rule(
    'delivery-slow',
    'warn',
    'rows wait longer than twice the buffer interval',
    firehose('DeliveryToS3.DataFreshness', Stats.MAXIMUM),
    ({ buffer }) => 2 * buffer.seconds,
    [5, 5],
  ),
  rule(
    'delivery-late',
    'page',
    'rows have waited over an hour; Firehose keeps them for a day',
    firehose('DeliveryToS3.DataFreshness', Stats.MAXIMUM),
    3600,
    [5, 5],
  ),
  {
    ...rule(
      'delivery-fails',
      'page',
      'nothing can be written to the archive',
      firehose('DeliveryToS3.Success', Stats.AVERAGE),
      0.01,
      [15, 15],
    ),
    below: true,
  },
  rule(
    'too-many-dates',
    'page',
    'more dates at once than Firehose has partitions for',
    // changes come as they are made; what has many dates is sent again, or a baseline
    firehose('PartitionCountExceeded', Stats.SUM, 'replay'),
    0,
    FIRST_TIME,
  ),
  rule(
    'key-refused',
    'page',
    'Firehose may not use the key of the archive',
    firehose('KMSKeyAccessDenied'),
    0,
    FIRST_TIME,
  ),
]

const streams: readonly AlarmRule<CapturedTable>[] = [
  rule('stream-behind', 'warn', 'the forwarder is over 5 minutes behind the table', iteratorAge, 5 * MINUTE, [10, 10]),
  rule(
    'stream-far-behind',
    'page',
    'the forwarder is over an hour behind the table; the stream forgets after 24',
    iteratorAge,
    HOUR,
    [5, 5],
  ),
  rule(
    'twelve-hours-to-loss',
    'page',
    'the forwarder is 12 hours behind: in 12 more the stream forgets',
    iteratorAge,
    12 * HOUR,
    FIRST_TIME,
  ),
  rule(
    'stream-unread',
    'page',
    'the table was written to in two hours in which nothing was read of its stream, which forgets after 24',
    unread,
    0,
    [2, 24],
  ),
  rule(
    'batch-given-up',
    'page',
    'Lambda gave records up after 24 hours and wrote them into the refused bucket',
    mapping('OnFailureDestinationDeliveredEventCount'),
    0,
    FIRST_TIME,
  ),
  rule(
    'records-dropped',
    'page',
    'Lambda dropped records that it could not keep: a gap',
    mapping('DroppedEventCount'),
    0,
    FIRST_TIME,
  ),
  rule(
    'give-up-failed',
    'page',
    'Lambda could not write what it gave up into the refused bucket',
    lambda('forwarder', 'DestinationDeliveryFailures'),
    0,
    FIRST_TIME,
  ),
  rule('put-failures', 'warn', 'Firehose did not accept records, after retries', ours('RecordsLeft'), 0, FIRST_TIME),
  rule(
    'put-failures-persist',
    'page',
    'Firehose has accepted too little for 5 minutes',
    ours('RecordsLeft'),
    0,
    [5, 5],
  ),
  rule(
    'record-oversize',
    'warn',
    'a record too large for Firehose waits in the refused bucket',
    ours('RecordsOversize'),
    0,
    FIRST_TIME,
  ),
  rule('forwarder-errors', 'warn', 'the forwarder function fails', lambda('forwarder', 'Errors'), 0, THREE_OF_FIVE),
  rule(
    'forwarder-throttles',
    'warn',
    'the forwarder function is throttled',
    lambda('forwarder', 'Throttles'),
    0,
    THREE_OF_FIVE,
  ),
  rule('firehose-throttles', 'warn', 'Firehose turns records away', firehose('ThrottledRecords'), 0, [15, 15]),
  rule('firehose-near-limit', 'warn', 'over 80 % of what Firehose takes a second', nearLimit, 80, [15, 15]),
]

const kinesis: readonly AlarmRule<CapturedTable>[] = [
  rule(
    'change-skipped',
    'page',
    'DynamoDB skipped a change, which is lost for good: a gap',
    replication('FailedToReplicateRecordCount', 'SUM'),
    0,
    FIRST_TIME,
  ),
  rule(
    'replication-slow',
    'warn',
    'DynamoDB is over a minute behind in writing to the Kinesis stream',
    replication('AgeOfOldestUnreplicatedRecord', 'MAX'),
    MINUTE,
    [5, 5],
  ),
  rule(
    'replication-late',
    'page',
    'DynamoDB is over an hour behind; after 168 it stops for good',
    replication('AgeOfOldestUnreplicatedRecord', 'MAX'),
    HOUR,
    [5, 5],
  ),
  rule(
    'replication-throttles',
    'warn',
    'the Kinesis stream turns changes away; DynamoDB tries again',
    replication('ThrottledPutRecordCount', 'SUM'),
    0,
    [15, 15],
  ),
  rule(
    'kinesis-behind',
    'warn',
    'Firehose is over 5 minutes behind the Kinesis stream',
    firehose('KinesisMillisBehindLatest', Stats.MAXIMUM),
    5 * MINUTE,
    [10, 10],
  ),
  rule(
    'replay-late',
    'page',
    'records that were sent again, or rows of a baseline, have waited over an hour; Firehose keeps them for a day',
    // it is a stream of its own: with capture `streams` delivery-late watches the one that there is
    firehose('DeliveryToS3.DataFreshness', Stats.MAXIMUM, 'replay'),
    HOUR / 1000,
    [5, 5],
  ),
  rule(
    'kinesis-half-forgotten',
    'page',
    'Firehose is behind by half of what the Kinesis stream keeps',
    firehose('KinesisMillisBehindLatest', Stats.MAXIMUM),
    KINESIS_RETENTION_MS / 2,
    FIRST_TIME,
  ),
]

const locks: readonly AlarmRule<LockFunction>[] = [
  rule(
    'lock-errors',
    'warn',
    'the lock function fails; it is tried again for two hours',
    ({ function: locker }) => locker.metricErrors(perMinute(Stats.SUM)),
    0,
    THREE_OF_FIVE,
  ),
  rule(
    'lock-late',
    'warn',
    'objects have waited 15 minutes for their lock',
    ({ waiting }) => waiting.metricApproximateAgeOfOldestMessage(perMinute(Stats.MAXIMUM)),
    900,
    [5, 5],
  ),
  rule(
    'object-unlocked',
    'page',
    'objects could not be locked',
    ({ failed }) => failed.metricApproximateNumberOfMessagesVisible(perMinute(Stats.MAXIMUM)),
    0,
    FIRST_TIME,
  ),
  rule('lock-event-lost', 'page', 'objects are not locked, and no queue knows of them', eventsLost, 0, FIRST_TIME),
]

const queries: readonly AlarmRule<QueryWorkgroup>[] = [
  rule(
    'scan-cutoff',
    'warn',
    'a query scanned as much as is allowed, and was cancelled',
    cancelledBytes,
    ({ scanCutoffGb }) => 0.99 * bytes(scanCutoffGb),
    FIRST_TIME,
  ),
]

const refused: readonly AlarmRule<RefusedWatch>[] = [
  rule(
    'refused-expiring',
    'page',
    'refused objects will be forgotten within 30 days',
    watch => watch.metricExpiring(),
    0,
    FIRST_TIME,
  ),
  {
    ...rule(
      'refused-unwatched',
      'warn',
      'nobody knows whether refused objects are about to expire',
      watch => watch.metricExpiring(Stats.SAMPLE_COUNT),
      1,
      [2, 2],
    ),
    // counted each day, so that a function that fails is seen, and one that is never called
    below: true,
    silence: 'alarm',
  },
]

const persons: readonly AlarmRule<PersonKeys>[] = [
  rule(
    'person-keys-throttled',
    'warn',
    'DynamoDB turns reads and writes of the keys of persons away: rows wait, and then their records are refused',
    keys => keys.metricThrottles(),
    0,
    THREE_OF_FIVE,
  ),
]

const compaction: readonly AlarmRule<TableCompaction>[] = [
  rule(
    'compaction-fails',
    'warn',
    'the copy by item is not brought up to date; answers are right, but those about one item read more',
    station => station.metricErrors(),
    // of four calls
    2,
    FIRST_TIME,
  ),
]

/** Every alarm there is, by the station that it watches. */
export const ALARMS = {
  both,
  streams,
  kinesis,
  locks,
  queries,
  refused,
  persons,
  compaction,
  journal: JOURNAL_ALARMS,
  canary: CANARY_ALARMS,
  reconciliation: RECONCILIATION_ALARMS,
} as const

export interface AlarmsProps<Station> {
  readonly rules: readonly AlarmRule<Station>[]
  readonly station: Station
  /** Opens the text of each alarm: whose it is. */
  readonly subject: string
  readonly topic: ITopic
}

/** The alarms of one station, each telling the topic when it goes off and when it is over. */
export class Alarms<Station> extends Construct {
  constructor(scope: Construct, id: string, { rules, station, subject, topic }: AlarmsProps<Station>) {
    super(scope, id)
    const action = new SnsAction(topic)
    for (const { name, severity, meaning, metric, threshold, below, silence, minutes } of rules) {
      const [wanted, of] = minutes
      const alarm = new Alarm(this, name, {
        alarmDescription: `[${severity}] ${subject}: ${meaning}. docs/runbook.md, ${name}`,
        metric: metric(station),
        threshold: typeof threshold === 'number' ? threshold : threshold(station),
        comparisonOperator: below ? ComparisonOperator.LESS_THAN_THRESHOLD : ComparisonOperator.GREATER_THAN_THRESHOLD,
        datapointsToAlarm: wanted,
        evaluationPeriods: of,
        treatMissingData: silence === 'alarm' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      })
      alarm.addAlarmAction(action)
      alarm.addOkAction(action)
    }
  }
}

function rule<Station>(
  name: string,
  severity: Severity,
  meaning: string,
  metric: (station: Station) => IMetric,
  threshold: AlarmRule<Station>['threshold'],
  minutes: readonly [number, number],
): AlarmRule<Station> {
  return { name, severity, meaning, metric, threshold, minutes }
}
