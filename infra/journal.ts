import { Duration } from 'aws-cdk-lib'
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import type { SealFields } from '../config/schema.js'
import { JOURNAL_METRICS } from '../journal/journal-metrics.js'
import { CHECKED_PREFIX, EVIDENCE_PREFIXES, LOG_PREFIX, SEALED_PREFIXES } from '../transform/layout.js'
import type { ArchiveBucket } from './archive-bucket.js'
import { throughService } from './archive-key.js'
import { BundledFunction } from './bundled-function.js'
import { foreignKeyStatement, SealKey } from './seal-key.js'

export interface JournalProps {
  /** Names the archive in metrics. */
  readonly name: string
  readonly archive: ArchiveBucket
  /** The archive's own key. */
  readonly key: IKey
  readonly refusedDays: number
  readonly seal: SealFields
}

/** How often it seals, and how often the archive is held against it. */
export const SEALING = { every: Duration.hours(1), checkedEvery: Duration.days(1) } as const

/**
 * The signed journal of an archive, below `log/`: a function seals what is new, and alone may sign and write there;
 * another holds the archive against the journal, and hands the checkpoint to whoever keeps it.
 */
export class Journal extends Construct {
  readonly sealer: IFunction
  readonly check: IFunction
  /** Told the checkpoint of each day, of a journal of which nothing is wrong. */
  readonly checkpoints: Topic
  /** The journal's name, under which its key signs. */
  readonly origin: string
  /** The key that signs. */
  readonly keyArn: string
  private readonly archiveName: string

  constructor(scope: Construct, id: string, props: JournalProps) {
    super(scope, id)
    const { name, archive, key, seal } = props
    const own = seal.key === undefined ? new SealKey(this, 'Key') : undefined
    this.archiveName = name
    this.keyArn = own?.keyArn ?? (seal.key as string)
    this.origin = seal.origin ?? `${archive.bucket.bucketRegionalDomainName}/${LOG_PREFIX.slice(0, -1)}`
    this.checkpoints = new Topic(this, 'Checkpoints', {
      displayName: 'Itemtrail checkpoints',
      masterKey: key,
      enforceSSL: true,
    })
    for (const address of seal.mail) this.checkpoints.addSubscription(new EmailSubscription(address))
    const sealer = this.addSealer(props, own === undefined)
    const check = this.addCheck(props, own === undefined)
    own?.onlySigner(sealer.role as NonNullable<typeof sealer.role>)
    own?.letVerify(check.role as NonNullable<typeof check.role>)
    archive.onlySealer(sealer.role as NonNullable<typeof sealer.role>)
    archive.onlyChecker(check.role as NonNullable<typeof check.role>)
    this.schedule('Hourly', 'seals what is new', SEALING.every, sealer)
    this.schedule('Daily', 'holds the archive against its journal', SEALING.checkedEvery, check)
    this.sealer = sealer
    this.check = check
  }

  /** What the two functions count of the archive, by sum of each of these periods. */
  metric(which: keyof typeof JOURNAL_METRICS, period: Duration): IMetric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: JOURNAL_METRICS[which],
      dimensionsMap: { Archive: this.archiveName },
      statistic: Stats.SUM,
      period,
    })
  }

  private addSealer(props: JournalProps, isForeignKey: boolean): BundledFunction {
    const { key } = props
    return new BundledFunction(this, 'Sealer', {
      bundle: 'seal-archive',
      description: 'Itemtrail: seals what is new in the archive',
      timeout: Duration.minutes(15),
      // a whole processor, for hashing
      memoryMb: 1769,
      key,
      // two at once would only race for one claim
      reservedConcurrency: 1,
      environment: {
        ...this.environment(props),
        ITEMTRAIL_ARCHIVE_KEY: key.keyArn,
        ITEMTRAIL_SEAL_KEY_OWNER: isForeignKey ? 'another account' : 'archive',
      },
      statements: [...this.sealing(props), ...(isForeignKey ? [foreignKeyStatement(this.keyArn, 'sign')] : [])],
    })
  }

  private addCheck(props: JournalProps, isForeignKey: boolean): BundledFunction {
    return new BundledFunction(this, 'Check', {
      bundle: 'check-journal',
      description: 'Itemtrail: holds the archive against its journal',
      timeout: Duration.minutes(15),
      // it holds what it looks at of the archive at once; new accounts have no more
      memoryMb: 3008,
      key: props.key,
      environment: {
        ...this.environment(props),
        ITEMTRAIL_CHECKPOINT_TOPIC: this.checkpoints.topicArn,
        ITEMTRAIL_REFUSED_DAYS: `${props.refusedDays}`,
      },
      statements: [...this.checking(props), ...(isForeignKey ? [foreignKeyStatement(this.keyArn, 'verify')] : [])],
    })
  }

  /** What both are told. */
  private environment({ name, archive }: JournalProps): Readonly<Record<string, string>> {
    return {
      ITEMTRAIL_ARCHIVE: name,
      ITEMTRAIL_ARCHIVE_BUCKET: archive.bucket.bucketName,
      ITEMTRAIL_ORIGIN: this.origin,
      ITEMTRAIL_SEAL_KEY: this.keyArn,
    }
  }

  private sealing({ archive: { bucket }, key }: JournalProps): PolicyStatement[] {
    const evidence = EVIDENCE_PREFIXES.map(prefix => bucket.arnForObjects(`${prefix}*`))
    return [
      // without the right to list, S3 says of what is not there that it is forbidden
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
      this.reading(bucket),
      new PolicyStatement({ actions: ['s3:GetObjectRetention'], resources: evidence }),
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(`${LOG_PREFIX}*`)] }),
      throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
      new PolicyStatement({ actions: ['kms:DescribeKey'], resources: [key.keyArn] }),
    ]
  }

  private checking({ archive: { bucket }, key }: JournalProps): PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['s3:ListBucket', 's3:ListBucketVersions'], resources: [bucket.bucketArn] }),
      this.reading(bucket),
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [bucket.arnForObjects(`${CHECKED_PREFIX}*`)],
      }),
      throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
      new PolicyStatement({ actions: ['sns:Publish'], resources: [this.checkpoints.topicArn] }),
      throughService(this, 'sns', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
    ]
  }

  private reading(bucket: ArchiveBucket['bucket']): PolicyStatement {
    const resources = [...SEALED_PREFIXES, LOG_PREFIX].map(prefix => bucket.arnForObjects(`${prefix}*`))
    return new PolicyStatement({ actions: ['s3:GetObject'], resources })
  }

  private schedule(id: string, what: string, every: Duration, called: BundledFunction): void {
    // what was not done the next call does
    called.configureAsyncInvoke({ retryAttempts: 1, maxEventAge: Duration.minutes(30) })
    new Rule(this, id, {
      description: `Itemtrail: ${what}`,
      schedule: Schedule.rate(every),
      targets: [new FunctionTarget(called)],
    })
  }
}
