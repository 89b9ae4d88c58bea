import { ArnFormat, type Stack } from 'aws-cdk-lib'
import type { CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import {
  CHECKED_PREFIX,
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
  /** Who called, where that is kept. */
  readonly calls?: Bucket | undefined
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

const ASK_A_STATEMENT = [
  'athena:GetQueryExecution',
  'athena:GetQueryResults',
  'athena:GetWorkGroup',
  'athena:StartQueryExecution',
  'athena:StopQueryExecution',
]

const READ_A_TABLE = ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable']

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
export const READ_KEY = [
  'kms:DescribeKey',
  'kms:GetKeyLastUsage',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListResourceTags',
]

/** What the console asks before it shows a workgroup; IAM knows no resource to limit the first to. */
const SEE_WORKGROUPS = ['athena:ListDataCatalogs', 'athena:ListEngineVersions', 'athena:ListWorkGroups']
const SEE_CATALOG = [
  'athena:GetDataCatalog',
  'athena:GetDatabase',
  'athena:GetTableMetadata',
  'athena:ListDatabases',
  'athena:ListTableMetadata',
]

/**
 * The texts of saved queries of a workgroup in which somebody does not ask. Without `athena:GetWorkGroup`, by which
 * `--stack` finds out whose workgroup is meant.
 */
const READ_SAVED = ['athena:BatchGetNamedQuery', 'athena:GetNamedQuery', 'athena:ListNamedQueries']

const LIST = ['s3:GetBucketLocation', 's3:ListBucket']
const READ = ['s3:GetObject']
const READ_VERSIONS_AND_LOCKS = [...READ, 's3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectVersion']
const KEEP_ANSWERS = ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject']

const READ_TABLE = ['dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:Scan']
const WRITE_TABLE = [
  'dynamodb:BatchGetItem',
  'dynamodb:DeleteItem',
  'dynamodb:DescribeTable',
  'dynamodb:PutItem',
  'dynamodb:Scan',
  'dynamodb:UpdateItem',
]

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

/** To ask questions in Athena: answers are the only thing that is written. @default asksIn - where people ask */
export function toAsk(stack: Stack, parts: ArchiveParts, asksIn?: CfnWorkGroup): PolicyStatement[] {
  const { archive, derived, workgroup, databaseName, key } = parts
  const { results } = workgroup
  const answers = workgroup.answersOf(asksIn ?? workgroup.resource)
  const buckets = [archive.bucketArn, ...(derived ? [derived.bucketArn] : []), results.bucketArn]
  return [
    may(['cloudformation:DescribeStacks'], stackArn(stack, '/*')),
    may(SEE_WORKGROUPS, '*'),
    may(SEE_CATALOG, stack.formatArn({ service: 'athena', resource: 'datacatalog/AwsDataCatalog' })),
    may(ASK_IN_A_WORKGROUP, workgroupArn(stack, asksIn ?? workgroup.resource)),
    may(READ_THE_CATALOG, ...catalogArns(stack, databaseName)),
    may(LIST, ...buckets),
    may(READ, ...below(archive, ...ASKED), ...(derived ? [derived.arnForObjects('*')] : []), answers),
    ...toHoldAgainstJournal(parts),
    may(KEEP_ANSWERS, answers),
    throughService(stack, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]
}

/** To tell what was sealed and is missing or another: the journal, who signed it, and the versions of the objects. */
function toHoldAgainstJournal({ archive, sealKeyArn }: ArchiveParts): PolicyStatement[] {
  if (sealKeyArn === undefined) return []
  return [
    may(READ, ...below(archive, LOG_PREFIX)),
    may(READ_PUBLIC_KEY, sealKeyArn),
    may(['s3:ListBucketVersions'], archive.bucketArn),
  ]
}

/** To read the evidence itself: versions, locks and the settings of the archive. */
export function toReadEvidence(stack: Stack, { archive, workgroup }: ArchiveParts): PolicyStatement[] {
  return [
    may(READ_SAVED, workgroupArn(stack, workgroup.resource)),
    may([...READ_SETTINGS, 's3:ListBucketVersions'], archive.bucketArn),
    may(READ_VERSIONS_AND_LOCKS, ...below(archive, ...ASKED, LOG_PREFIX)),
  ]
}

/** To read who called, which names people and has keys in clear: for auditors, whose answers are nobody else's. */
export function toReadCalls({ calls }: ArchiveParts): PolicyStatement[] {
  return calls === undefined ? [] : [may(LIST, calls.bucketArn), may(READ, ...below(calls, 'AWSLogs/'))]
}

/** To ask some tables in a workgroup, for a function. */
export function toAskTables(
  stack: Stack,
  workgroup: CfnWorkGroup,
  database: string,
  tables: readonly string[],
): PolicyStatement[] {
  const glue = ['catalog', `database/${database}`, ...tables.map(table => `table/${database}/${table}`)]
  return [
    may(ASK_A_STATEMENT, workgroupArn(stack, workgroup)),
    may(READ_A_TABLE, ...glue.map(resource => stack.formatArn({ service: 'glue', resource }))),
  ]
}

/** To read what was refused. */
export function toReadRefused({ archive, refused }: ArchiveParts): PolicyStatement[] {
  return [may(LIST, refused.bucketArn), may(READ, ...below(archive, REFUSED_PREFIX), refused.arnForObjects('*'))]
}

/** To put records into these delivery streams. */
export function toReplay(streams: string[]): PolicyStatement[] {
  return [new PolicyStatement({ actions: SEND_AGAIN, resources: streams })]
}

/** To copy an archive, by whose items a table is put back. */
export function toCopy(stack: Stack, parts: ArchiveParts): PolicyStatement[] {
  const { archive, key } = parts
  return [
    may(['cloudformation:DescribeStacks'], stackArn(stack, '/*')),
    may(LIST, archive.bucketArn),
    may(READ, ...below(archive, ...ASKED)),
    ...toCopyTheRest(parts),
    throughService(stack, 's3', key, ['kms:Decrypt']),
  ]
}

/**
 * What a copy of the whole bucket reads besides what answers are made of: a copy without what was refused would not
 * know that something is missing, and `aws s3 sync` fails at the first object that it may not read.
 */
export function toCopyTheRest({ archive, sealKeyArn }: ArchiveParts): PolicyStatement[] {
  const ofJournal = sealKeyArn === undefined ? [] : [LOG_PREFIX, CHECKED_PREFIX]
  return [may(READ, ...below(archive, REFUSED_PREFIX, ...ofJournal))]
}

/** To keep in the archive what somebody found out about it. */
export function toKeepFacts(stack: Stack, { archive, key }: ArchiveParts): PolicyStatement[] {
  return [
    may(['s3:PutObject'], ...below(archive, FACTS_PREFIX)),
    throughService(stack, 's3', key, ['kms:GenerateDataKey']),
  ]
}

/** To read whole tables and items of them, and to export them into a bucket that somebody else has to let in. */
export function toReadTables(tables: string[]): PolicyStatement[] {
  return [new PolicyStatement({ actions: [...READ_TABLE, 'dynamodb:ExportTableToPointInTime'], resources: tables })]
}

/** To see whether a table holds something newer of an item than has arrived. */
export function toLookAtItems(tables: string[]): PolicyStatement[] {
  return [new PolicyStatement({ actions: ['dynamodb:GetItem'], resources: tables })]
}

/** To see how far exports are. */
export function toSeeExports(stack: Stack): PolicyStatement[] {
  return [may(['dynamodb:DescribeExport', 'dynamodb:ListExports'], anyTable(stack))]
}

/** To read and write items of tables one by one. */
export function toWriteTables(tables: string[]): PolicyStatement[] {
  return [new PolicyStatement({ actions: WRITE_TABLE, resources: tables })]
}

/** What `itemtrail doctor` reads. */
export function toCheck(stack: Stack, parts: ArchiveParts): PolicyStatement[] {
  const { archive, refused, sealKeyArn, workgroup, databaseName, key } = parts
  const any = (service: string, resource: string) =>
    stack.formatArn({ service, resource, resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME })
  return [
    may(READ_SETTINGS, archive.bucketArn, refused.bucketArn),
    may(READ_KEY, key.keyArn, ...(sealKeyArn ? [sealKeyArn] : [])),
    may(['s3:GetObjectRetention'], ...below(archive, ...EVIDENCE_PREFIXES)),
    ...(sealKeyArn ? toCheckJournal(parts, sealKeyArn) : []),
    may(['athena:GetWorkGroup'], workgroupArn(stack, workgroup.resource)),
    may(['glue:GetTable'], ...catalogArns(stack, databaseName)),
    // nested stacks are named after the one that holds them
    may(FIND_DRIFT, stackArn(stack, '*/*')),
    may(['dynamodb:DescribeKinesisStreamingDestination', 'dynamodb:DescribeTable'], anyTable(stack)),
    may(['cloudwatch:DescribeAlarms'], any('cloudwatch', 'alarm')),
    may(['lambda:GetEventSourceMapping'], any('lambda', 'event-source-mapping')),
    ...toCheckCalls(stack, parts),
    may(LOOK_AROUND, '*'),
  ]
}

/** Whether the trail of callers logs and delivers: the names of its files, and none of them. */
function toCheckCalls(stack: Stack, { calls }: ArchiveParts): PolicyStatement[] {
  if (calls === undefined) return []
  const trails = stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: '*' })
  return [may(['s3:ListBucket'], calls.bucketArn), may(SEE_TRAIL, trails), may(['cloudtrail:DescribeTrails'], '*')]
}

/** What CloudFormation asks about the drift of a trail (its type's read handler, `describe-type`). */
const SEE_TRAIL = [
  'cloudtrail:GetEventConfiguration',
  'cloudtrail:GetEventSelectors',
  'cloudtrail:GetInsightSelectors',
  'cloudtrail:GetTrail',
  'cloudtrail:GetTrailStatus',
  'cloudtrail:ListTags',
]

function toCheckJournal({ archive }: ArchiveParts, sealKeyArn: string): PolicyStatement[] {
  return [
    may(READ_PUBLIC_KEY, sealKeyArn),
    may(['s3:ListBucketVersions'], archive.bucketArn),
    may(READ, ...below(archive, LOG_PREFIX)),
  ]
}

/** One statement that allows. */
export function may(actions: readonly string[], ...resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources })
}

function below(bucket: Bucket, ...prefixes: readonly string[]): string[] {
  return prefixes.map(prefix => bucket.arnForObjects(`${prefix}*`))
}

function workgroupArn(stack: Stack, workgroup: CfnWorkGroup): string {
  return stack.formatArn({ service: 'athena', resource: `workgroup/${workgroup.ref}` })
}

function anyTable(stack: Stack): string {
  return stack.formatArn({ service: 'dynamodb', resource: 'table/*' })
}

/** A stack, and by a longer pattern those that are named after it. */
function stackArn(stack: Stack, pattern: string): string {
  return stack.formatArn({ service: 'cloudformation', resource: `stack/${stack.stackName}${pattern}` })
}

/** The database, its tables, and the catalog that holds them: Glue asks for all three. */
function catalogArns(stack: Stack, database: string): string[] {
  const resources = ['catalog', `database/${database}`, `table/${database}/*`]
  return resources.map(resource => stack.formatArn({ service: 'glue', resource }))
}
