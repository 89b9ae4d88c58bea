import { ArnFormat, type Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import {
  CONFIG_PREFIX,
  DATA_PREFIX,
  EVIDENCE_PREFIXES,
  FACTS_PREFIX,
  LOG_PREFIX,
  REFUSED_PREFIX,
} from '../transform/layout.js'
import { throughService } from './archive-key.js'
import type { QueryWorkgroup } from './query-workgroup.js'

/** What there is in an archive that somebody may be allowed to use. */
export interface ArchiveParts {
  readonly archive: Bucket
  readonly refused: Bucket
  /** What is made from the archive, where there is something. */
  readonly derived?: Bucket | undefined
  /** The key that signs the archive's journal, where one is kept. */
  readonly sealKeyArn?: string | undefined
  readonly workgroup: QueryWorkgroup
  readonly databaseName: string
  readonly key: IKey
}

const ASK_IN_A_WORKGROUP = [
  'athena:BatchGetNamedQuery',
  'athena:BatchGetPreparedStatement',
  'athena:BatchGetQueryExecution',
  'athena:GetNamedQuery',
  'athena:GetPreparedStatement',
  'athena:GetQueryExecution',
  'athena:GetQueryResults',
  'athena:GetQueryRuntimeStatistics',
  'athena:GetWorkGroup',
  'athena:ListNamedQueries',
  'athena:ListPreparedStatements',
  'athena:ListQueryExecutions',
  'athena:StartQueryExecution',
  'athena:StopQueryExecution',
]

const READ_THE_CATALOG = [
  'glue:GetDatabase',
  'glue:GetDatabases',
  'glue:GetPartition',
  'glue:GetPartitions',
  'glue:GetTable',
  'glue:GetTables',
]

/** The public half of a signing key. */
const READ_PUBLIC_KEY = ['kms:GetPublicKey']

/** How a key is kept, and who may use it. */
const READ_KEY = [
  'kms:DescribeKey',
  'kms:GetKeyLastUsage',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
]

const LIST = ['s3:GetBucketLocation', 's3:ListBucket']
const READ = ['s3:GetObject']
const READ_VERSIONS_AND_LOCKS = [...READ, 's3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectVersion']
const KEEP_ANSWERS = ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject']

const SEND_AGAIN = ['firehose:DescribeDeliveryStream', 'firehose:PutRecordBatch']

/** The settings of a bucket that its promises rest on. */
const READ_SETTINGS = [
  's3:GetBucketLogging',
  's3:GetBucketObjectLockConfiguration',
  's3:GetBucketPolicy',
  's3:GetBucketPublicAccessBlock',
  's3:GetBucketVersioning',
  's3:GetEncryptionConfiguration',
  's3:GetLifecycleConfiguration',
]

const FIND_DRIFT = [
  'cloudformation:DescribeStackResourceDrifts',
  'cloudformation:DescribeStacks',
  'cloudformation:DetectStackDrift',
  'cloudformation:DetectStackResourceDrift',
  'cloudformation:ListStackResources',
]

/** IAM knows no resource to limit these to. */
const LOOK_AROUND = [
  'cloudformation:BatchDescribeTypeConfigurations',
  'cloudformation:DescribeStackDriftDetectionStatus',
  'cloudwatch:GetMetricData',
  'lambda:ListEventSourceMappings',
]

/** What answers are made of: rows, the configurations that they were made under, and facts. */
const ASKED = [DATA_PREFIX, CONFIG_PREFIX, FACTS_PREFIX]

/** To ask questions in Athena: answers are the only thing that is written. */
export function toAsk(stack: Stack, parts: ArchiveParts): PolicyStatement[] {
  const { archive, derived, sealKeyArn, workgroup, databaseName, key } = parts
  const { results } = workgroup
  const buckets = [archive.bucketArn, ...(derived ? [derived.bucketArn] : []), results.bucketArn]
  return [
    may(ASK_IN_A_WORKGROUP, workgroupArn(stack, workgroup)),
    may(READ_THE_CATALOG, ...catalogArns(stack, databaseName)),
    may(LIST, ...buckets),
    may(
      READ,
      ...below(archive, ...ASKED, ...(sealKeyArn ? [LOG_PREFIX] : [])),
      ...(derived ? [derived.arnForObjects('*')] : []),
      results.arnForObjects('*'),
    ),
    may(KEEP_ANSWERS, results.arnForObjects('*')),
    throughService(stack, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]
}

/** To read the evidence itself: versions, locks and the settings of the archive. */
export function toReadEvidence({ archive, sealKeyArn }: ArchiveParts): PolicyStatement[] {
  return [
    ...(sealKeyArn ? [may(READ_PUBLIC_KEY, sealKeyArn)] : []),
    may([...READ_SETTINGS, 's3:ListBucketVersions'], archive.bucketArn),
    may(READ_VERSIONS_AND_LOCKS, ...below(archive, ...ASKED, LOG_PREFIX)),
  ]
}

/** To read what was refused, and to send it again by the delivery streams named. */
export function toReplay(
  stack: Stack,
  { archive, refused, key }: ArchiveParts,
  streams: readonly string[],
): PolicyStatement[] {
  return [
    may(SEND_AGAIN, ...streams),
    may(LIST, archive.bucketArn, refused.bucketArn),
    may(READ, ...below(archive, REFUSED_PREFIX, CONFIG_PREFIX), refused.arnForObjects('*')),
    throughService(stack, 's3', key, ['kms:Decrypt']),
  ]
}

/** What `itemtrail doctor` reads. */
export function toCheck(stack: Stack, parts: ArchiveParts): PolicyStatement[] {
  const { archive, refused, sealKeyArn, workgroup, databaseName, key } = parts
  const any = (service: string, resource: string, arnFormat = ArnFormat.SLASH_RESOURCE_NAME) =>
    stack.formatArn({ service, resource, resourceName: '*', arnFormat })
  // nested stacks are named after the one that holds them
  const stacks = { service: 'cloudformation', resource: 'stack', resourceName: `${stack.stackName}*/*` }
  return [
    may(READ_SETTINGS, archive.bucketArn, refused.bucketArn),
    may(READ_KEY, key.keyArn, ...(sealKeyArn ? [sealKeyArn] : [])),
    may(['s3:GetObjectRetention'], ...below(archive, ...EVIDENCE_PREFIXES)),
    ...(sealKeyArn ? toCheckJournal(parts, sealKeyArn) : []),
    may(['athena:GetWorkGroup'], workgroupArn(stack, workgroup)),
    may(['glue:GetTable'], ...catalogArns(stack, databaseName)),
    may(FIND_DRIFT, stack.formatArn(stacks)),
    may(['dynamodb:DescribeKinesisStreamingDestination', 'dynamodb:DescribeTable'], any('dynamodb', 'table')),
    may(['cloudwatch:DescribeAlarms'], any('cloudwatch', 'alarm', ArnFormat.COLON_RESOURCE_NAME)),
    may(['lambda:GetEventSourceMapping'], any('lambda', 'event-source-mapping', ArnFormat.COLON_RESOURCE_NAME)),
    may(LOOK_AROUND, '*'),
  ]
}

function toCheckJournal({ archive }: ArchiveParts, sealKeyArn: string): PolicyStatement[] {
  return [
    may(READ_PUBLIC_KEY, sealKeyArn),
    may(['s3:ListBucketVersions'], archive.bucketArn),
    may(READ, ...below(archive, LOG_PREFIX)),
  ]
}

function may(actions: string[], ...resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources })
}

function below(bucket: Bucket, ...prefixes: readonly string[]): string[] {
  return prefixes.map(prefix => bucket.arnForObjects(`${prefix}*`))
}

function workgroupArn(stack: Stack, { resource }: QueryWorkgroup): string {
  return stack.formatArn({ service: 'athena', resource: `workgroup/${resource.ref}` })
}

/** The database, its tables, and the catalog that holds them: Glue asks for all three. */
function catalogArns(stack: Stack, database: string): string[] {
  const resources = ['catalog', `database/${database}`, `table/${database}/*`]
  return resources.map(resource => stack.formatArn({ service: 'glue', resource }))
}
