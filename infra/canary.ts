import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { AttributeType, BillingMode, StreamViewType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import { CANARY_KEY, CANARY_METRICS, CANARY_SECONDS, canaryTable } from '../config/canary.js'
import { tablePrefix } from '../transform/layout.js'
import { acknowledgeCanaryBackups } from './acknowledged-findings.js'
import { throughService } from './archive-key.js'
import type { CaptureProps } from './archive-props.js'
import { BundledFunction } from './bundled-function.js'

export interface CanaryProps {
  /** Names the archive in metrics, and the table. */
  readonly name: string
  readonly archive: Bucket
  readonly key: IKey
}

/** How the canary's table is captured. Its first day is before any canary's: another one would be another archive. */
export const CANARY_CAPTURE: CaptureProps = { since: '2026-11-01', columns: { written_at: 'timestamp' } }

/**
 * A table of one item, and a function that writes it and looks for its earlier writes in the archive: whether a change
 * arrives, and how long that takes, is not concluded from the parts of the way but seen at its end.
 */
export class Canary extends Construct {
  /** To be captured as any other. */
  readonly table: Table
  readonly function: IFunction
  private readonly archiveName: string

  constructor(scope: Construct, id: string, { name, archive, key }: CanaryProps) {
    super(scope, id)
    this.archiveName = name
    this.table = new Table(this, 'Table', {
      tableName: canaryTable(name),
      partitionKey: { name: CANARY_KEY.attribute, type: AttributeType.STRING },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      // all that it ever held is in the archive
      removalPolicy: RemovalPolicy.DESTROY,
    })
    acknowledgeCanaryBackups(this.table)
    const called = new BundledFunction(this, 'Function', {
      bundle: 'canary',
      description: 'Itemtrail: writes the canary and looks for it in the archive',
      timeout: Duration.minutes(1),
      memoryMb: 256,
      key,
      environment: {
        ITEMTRAIL_ARCHIVE: name,
        ITEMTRAIL_ARCHIVE_BUCKET: archive.bucketName,
        ITEMTRAIL_CANARY_TABLE: this.table.tableName,
      },
      statements: this.statements(archive, key),
    })
    // the schedule tries again
    called.configureAsyncInvoke({ retryAttempts: 0 })
    new Rule(this, 'Schedule', {
      description: 'Itemtrail: writes the canary',
      schedule: Schedule.rate(Duration.seconds(CANARY_SECONDS)),
      targets: [new FunctionTarget(called)],
    })
    this.function = called
  }

  /** What it counts of the archive, in each of these periods. */
  metric(which: keyof typeof CANARY_METRICS, statistic: string = Stats.MAXIMUM, seconds = CANARY_SECONDS): IMetric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: CANARY_METRICS[which],
      dimensionsMap: { Archive: this.archiveName },
      statistic,
      period: Duration.seconds(seconds),
    })
  }

  private statements(archive: Bucket, key: IKey): PolicyStatement[] {
    const rows = tablePrefix(canaryTable(this.archiveName))
    return [
      new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], resources: [this.table.tableArn] }),
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [archive.bucketArn],
        conditions: { StringLike: { 's3:prefix': `${rows}*` } },
      }),
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [archive.arnForObjects(`${rows}*`)] }),
      throughService(this, 's3', key, ['kms:Decrypt']),
    ]
  }
}
