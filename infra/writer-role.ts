import { Aws, Stack } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { REFUSED_PREFIX, tablePrefix } from '../transform/layout.js'
import { acknowledgeWildcards } from './acknowledged-findings.js'
import type { AuditTable } from './audit-table.js'

export interface WriterRoleProps {
  /** The DynamoDB table. */
  readonly table: string
  readonly auditTable: AuditTable
  readonly transform: IFunction
  readonly bucket: Bucket
  readonly key: IKey
  readonly logGroup: ILogGroup
  /** @default - nothing is read, records are put */
  readonly source?: IStream
}

/**
 * What Firehose may do for one table, exactly as its developer guide lists it ("Controlling access with Amazon Data
 * Firehose"): it may add objects, never delete one, set a lock or change one.
 */
export class WriterRole extends Role {
  constructor(scope: Construct, id: string, props: WriterRoleProps) {
    const statements = statementsOf(scope, props)
    super(scope, id, {
      // an external id of the account's number: Firehose acts for this account only
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'sts:ExternalId': Aws.ACCOUNT_ID } },
      }),
      description: `Itemtrail: writes what changed in ${props.table}`,
      inlinePolicies: { writer: new PolicyDocument({ statements }) },
    })
    acknowledgeWildcards(
      this,
      statements,
      'Objects and versions are named by Firehose and Lambda as they come; all are of this one table.',
    )
  }
}

function statementsOf(scope: Construct, props: WriterRoleProps): PolicyStatement[] {
  const { transform, logGroup, source } = props
  return [
    ...writing(scope, props),
    new PolicyStatement({
      actions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
      resources: [transform.functionArn, `${transform.functionArn}:*`],
    }),
    readingSchema(scope, props),
    new PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
    ...(source === undefined ? [] : [readingStream(source)]),
  ]
}

function writing(scope: Construct, { table, bucket, key }: WriterRoleProps): PolicyStatement[] {
  const stack = Stack.of(scope)
  return [
    new PolicyStatement({
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: [bucket.bucketArn],
    }),
    new PolicyStatement({
      actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
      resources: [
        bucket.arnForObjects(`${tablePrefix(table)}*`),
        bucket.arnForObjects(`${REFUSED_PREFIX}*/${table}/*`),
      ],
    }),
    new PolicyStatement({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `s3.${stack.region}.${stack.urlSuffix}` },
        // with a bucket key the context is the bucket, without it the object
        ArnLike: { 'kms:EncryptionContext:aws:s3:arn': [bucket.bucketArn, bucket.arnForObjects('*')] },
      },
    }),
  ]
}

function readingSchema(scope: Construct, { auditTable }: WriterRoleProps): PolicyStatement {
  const { databaseName, tableName } = auditTable
  const glue = (resource: string) => Stack.of(scope).formatArn({ service: 'glue', resource })
  return new PolicyStatement({
    actions: ['glue:GetTable', 'glue:GetTableVersion', 'glue:GetTableVersions'],
    resources: [glue('catalog'), glue(`database/${databaseName}`), glue(`table/${databaseName}/${tableName}`)],
  })
}

function readingStream({ streamArn }: IStream): PolicyStatement {
  return new PolicyStatement({
    actions: ['kinesis:DescribeStream', 'kinesis:GetShardIterator', 'kinesis:GetRecords', 'kinesis:ListShards'],
    resources: [streamArn],
  })
}
