import { Duration } from 'aws-cdk-lib'
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { EXPIRING_METRIC, METRICS_NAMESPACE } from '../capture/write-metrics.js'
import { REFUSED_PREFIX } from '../transform/layout.js'
import { BundledFunction } from './bundled-function.js'

export interface RefusedWatchProps {
  /** Names the archive in the metric. */
  readonly name: string
  readonly archive: Bucket
  readonly refused: Bucket
  readonly refusedDays: number
  readonly key: IKey
}

const DAY = Duration.days(1)

/** Looks once a day for refused objects that are about to expire: S3 has no metric of an object's age. */
export class RefusedWatch extends Construct {
  private readonly archiveName: string

  constructor(scope: Construct, id: string, { name, archive, refused, refusedDays, key }: RefusedWatchProps) {
    super(scope, id)
    this.archiveName = name
    const watch = new BundledFunction(this, 'Function', {
      bundle: 'watch-refused',
      description: 'Itemtrail: counts refused objects before they expire',
      // a page of 1,000 keys takes some tenths of a second
      timeout: Duration.minutes(5),
      memoryMb: 256,
      key,
      environment: {
        ITEMTRAIL_ARCHIVE: name,
        ITEMTRAIL_ARCHIVE_BUCKET: archive.bucketName,
        ITEMTRAIL_REFUSED_BUCKET: refused.bucketName,
        ITEMTRAIL_REFUSED_DAYS: `${refusedDays}`,
      },
      statements: [
        new PolicyStatement({
          actions: ['s3:ListBucket'],
          resources: [archive.bucketArn, refused.bucketArn],
          conditions: { StringEquals: { 's3:prefix': REFUSED_PREFIX } },
        }),
      ],
    })
    new Rule(this, 'Daily', {
      description: 'Itemtrail: looks for refused objects that are about to expire',
      schedule: Schedule.rate(DAY),
      targets: [new FunctionTarget(watch)],
    })
  }

  /** Objects that are about to expire, as counted each day. */
  metricExpiring(statistic: string = Stats.MAXIMUM): IMetric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: EXPIRING_METRIC,
      dimensionsMap: { Archive: this.archiveName },
      statistic,
      period: DAY,
    })
  }
}
