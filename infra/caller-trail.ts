import { Aws, Duration, Lazy, Stack } from 'aws-cdk-lib'
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail'
import { CfnTable } from 'aws-cdk-lib/aws-glue'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Key } from 'aws-cdk-lib/aws-kms'
import { Bucket, StorageClass } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { EVENT_COLUMNS, EVENT_DAY, eventProjection } from '../capture/cloudtrail-event.js'
import { CALLS_TABLE } from '../transform/table-names.js'
import { acknowledgeTrail } from './acknowledged-findings.js'
import { closedBucket, deny } from './archive-bucket.js'
import type { SourceTable } from './source-table.js'

export interface CallerTrailProps {
  /** The archive's name, which the trail has, too. */
  readonly name: string
  readonly databaseName: string
  /** Days that events are kept: they name people, and have keys in clear. */
  readonly days: number
  readonly key: Key
  readonly accessLogs: Bucket
}

/** One that reads of a table and one that writes to another are no concern of the archive: each event is paid for. */
const SELECTED = {
  eventCategory: ['Data'],
  'resources.type': ['AWS::DynamoDB::Table'],
  readOnly: ['false'],
}

/**
 * Keeps who called for the writes of the captured tables: a trail of CloudTrail's data events, its bucket, and the Glue
 * table by which Athena reads them. Only CloudTrail writes there.
 */
export class CallerTrail extends Construct {
  readonly bucket: Bucket
  readonly trail: CfnTrail
  /** The Glue table. */
  readonly tableName = CALLS_TABLE
  private readonly sources: { readonly arn: string; readonly since: string }[] = []

  constructor(scope: Construct, id: string, props: CallerTrailProps) {
    super(scope, id)
    const { name, days, key, accessLogs } = props
    this.bucket = new Bucket(this, 'Bucket', {
      ...closedBucket(key, accessLogs, 'calls'),
      lifecycleRules: [
        { id: 'forget', expiration: Duration.days(days), noncurrentVersionExpiration: Duration.days(1) },
        ...(days > 90
          ? [
              {
                id: 'cheaper-when-old',
                transitions: [{ storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(90) }],
              },
            ]
          : []),
        { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
    })
    // CloudTrail takes no two marks in a row
    const trailName = name.replaceAll(/[_.-]+/g, '-').padEnd(3, '0')
    const trailArn = Stack.of(this).formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trailName })
    this.letIn(trailArn, key)
    this.trail = new CfnTrail(this, 'Trail', {
      trailName,
      s3BucketName: this.bucket.bucketName,
      kmsKeyId: key.keyArn,
      isLogging: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      enableLogFileValidation: true,
      advancedEventSelectors: [
        {
          name: 'writes of the captured tables',
          fieldSelectors: [
            ...Object.entries(SELECTED).map(([field, equalTo]) => ({ field, equalTo })),
            {
              field: 'resources.ARN',
              equalTo: Lazy.uncachedList({ produce: () => this.sources.map(({ arn }) => arn) }),
            },
          ],
        },
      ],
    })
    acknowledgeTrail(this.trail)
    // it looks whether it may write when it is made
    if (this.bucket.policy !== undefined) this.trail.node.addDependency(this.bucket.policy)
    this.addTable(props.databaseName)
  }

  /** Keeps the calls for writes of a table, too; `since` is the first day of its archive. */
  addSource({ table }: SourceTable, since: string): void {
    this.sources.push({ arn: table.tableArn, since })
  }

  /** What CloudTrail needs, of this trail alone; nobody else may write, for what he wrote would name a caller. */
  private letIn(trailArn: string, key: Key): void {
    const { account } = Stack.of(this)
    const cloudTrail = new ServicePrincipal('cloudtrail.amazonaws.com')
    const ofTrail = { 'aws:SourceArn': trailArn }
    const objects = this.bucket.arnForObjects(`AWSLogs/${account}/*`)
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudTrailLooks',
        principals: [cloudTrail],
        actions: ['s3:GetBucketAcl'],
        resources: [this.bucket.bucketArn],
        conditions: { StringEquals: ofTrail },
      }),
    )
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudTrailWrites',
        principals: [cloudTrail],
        actions: ['s3:PutObject'],
        resources: [objects],
        conditions: { StringEquals: { ...ofTrail, 's3:x-amz-acl': 'bucket-owner-full-control' } },
      }),
    )
    deny(this.bucket, 'Writing', ['s3:PutObject'], '*', {
      StringNotEquals: { 'aws:PrincipalServiceName': 'cloudtrail.amazonaws.com' },
    })
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CloudTrailEncrypts',
        principals: [cloudTrail],
        actions: ['kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: { StringEquals: ofTrail },
      }),
    )
  }

  /** As AWS's own table for CloudTrail (Athena user guide), of the columns that are asked for. */
  private addTable(databaseName: string): void {
    const { account, region } = Stack.of(this)
    const location = this.bucket.s3UrlForObject(`AWSLogs/${account}/CloudTrail/${region}/`)
    const since = Lazy.uncachedString({
      produce: () => (this.sources.map(({ since: day }) => day).sort()[0] ?? '').replaceAll('-', '/'),
    })
    new CfnTable(this, 'Table', {
      catalogId: Aws.ACCOUNT_ID,
      databaseName,
      tableInput: {
        name: this.tableName,
        description: 'Calls that wrote to the captured tables, as CloudTrail keeps them',
        tableType: 'EXTERNAL_TABLE',
        parameters: { EXTERNAL: 'TRUE', classification: 'cloudtrail', ...eventProjection(since, location) },
        partitionKeys: [{ name: EVENT_DAY, type: 'string', comment: 'day of delivery, UTC: YYYY/MM/DD' }],
        storageDescriptor: {
          location,
          columns: EVENT_COLUMNS.map(({ name, type, meaning }) => ({ name, type, comment: meaning })),
          inputFormat: 'com.amazon.emr.cloudtrail.CloudTrailInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: { serializationLibrary: 'org.apache.hive.hcatalog.data.JsonSerDe' },
        },
      },
    })
  }
}
