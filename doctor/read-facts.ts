import { setTimeout as wait } from 'node:timers/promises'
import {
  type CloudFormationClient,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStacksCommand,
  DetectStackDriftCommand,
  paginateDescribeStackResourceDrifts,
  type StackResourceDrift,
} from '@aws-sdk/client-cloudformation'
import {
  DescribeKinesisStreamingDestinationCommand,
  DescribeTableCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import type { KMSClient } from '@aws-sdk/client-kms'
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { SNSClient } from '@aws-sdk/client-sns'
import { outputsOf } from '../aws/stack-outputs.js'
import { isObject } from '../transform/json.js'
import { absentAs, attempt } from './attempt.js'
import { type PolicyStatement, parseStatements } from './bucket-policy.js'
import type {
  BucketFacts,
  CapturedFacts,
  DeployedFact,
  DriftFacts,
  Facts,
  KinesisDestination,
  LifecycleRule,
  LockFacts,
  StackFacts,
  TableFacts,
} from './deployed-facts.js'
import { readCanary, readCompared, readDigestAge } from './read-arrivals.js'
import { readBucketKey, readJournal, readLocks } from './read-journal.js'
import { readPersonKeys } from './read-person-keys.js'
import { listStack, nestedStacks } from './stack-resources.js'
import { readAlarmTopic } from './topic-checks.js'
import { readTrailSettings } from './trail-checks.js'

export interface Clients {
  readonly cloudFormation: CloudFormationClient
  readonly dynamoDb: DynamoDBClient
  readonly s3: S3Client
  readonly kms: KMSClient
  readonly sns: SNSClient
}

export interface ReadOptions {
  /** Told what goes on: looking for drift takes minutes. */
  readonly note?: (text: string) => void
  /** Milliseconds between two questions whether drift detection is done. @default - 3 s */
  readonly pollMs?: number
  /** Milliseconds until drift detection is given up. @default - 15 min */
  readonly patienceMs?: number
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** Looks at a stack and at what it promises to keep. Throws where the stack itself cannot be described. */
export async function readDeployment(
  clients: Clients,
  stackName: string,
  tables: readonly string[],
  options: ReadOptions = {},
): Promise<Facts> {
  const { note = () => {}, now = Date.now } = options
  const stack = await readStack(clients.cloudFormation, stackName)
  note('reading buckets and tables ...')
  const archive = await readBucket(clients.s3, outputsOf(stack.outputs, 'ArchiveBucket')[0])
  const refused = await readBucket(clients.s3, outputsOf(stack.outputs, 'RefusedBucket')[0])
  const archiveName = outputsOf(stack.outputs, 'ArchiveBucket')[0]
  const locks = await ofBucket(archiveName, bucket => readLocks(clients.s3, bucket, now()))
  const archiveKey = await ofBucket(archiveName, bucket => readBucketKey(clients, bucket))
  const journal = await readJournal(clients, stack.outputs, now())
  const canary = await readCanary(clients.s3, stack.outputs, now())
  const callers = await readDigestAge(clients.s3, stack, now())
  const persons = await readPersonKeys(clients, stack)
  const alarmTopic = await readAlarmTopic(clients.sns, stack)
  const captured = new Map<string, CapturedFacts>()
  for (const table of tables) {
    const compared = await ofBucket(archiveName, bucket => readCompared(clients.s3, bucket, table, now()))
    captured.set(table, { ...(await readTable(clients.dynamoDb, table)), compared })
  }
  const drift = []
  const names = [stackName, ...nestedStacks(stack.resources)]
  for (const [i, name] of names.entries()) {
    note(`looking for drift, stack ${i + 1} of ${names.length} ...`)
    drift.push({ stack: name, found: await attempt(() => readDrift(clients.cloudFormation, name, options)) })
  }
  return {
    stack,
    drift,
    archive,
    refused,
    locks,
    archiveKey,
    journal,
    canary,
    callers,
    alarmTopic,
    persons,
    tables: captured,
  }
}

/** Something about a bucket that the stack names. */
async function ofBucket<T>(bucket: string | undefined, read: (bucket: string) => Promise<T>): Promise<DeployedFact<T>> {
  return bucket === undefined ? NO_OUTPUT : attempt(() => read(bucket))
}

const NO_OUTPUT = { kind: 'unknown', why: 'the stack has no such output' } as const

async function readStack(client: CloudFormationClient, name: string): Promise<StackFacts> {
  const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }))
  if (stack === undefined) throw new Error(`stack ${name} is not described`)
  return {
    name,
    arn: stack.StackId ?? '',
    status: stack.StackStatus ?? 'unknown',
    isProtected: stack.EnableTerminationProtection === true,
    tags: new Map((stack.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    outputs: new Map((stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue])),
    // a nested stack that cannot be listed will say so when it is asked for its drift
    resources: (await listStack(client, name)).resources,
  }
}

/** Drift detection does not descend into nested stacks (API reference, DetectStackDrift): each is asked for itself. */
async function readDrift(
  client: CloudFormationClient,
  stack: string,
  { pollMs = 3000, patienceMs = 15 * 60_000 }: ReadOptions,
): Promise<DriftFacts> {
  const { StackDriftDetectionId: id } = await client.send(new DetectStackDriftCommand({ StackName: stack }))
  const startedAt = performance.now()
  for (;;) {
    const detection = await client.send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId: id }))
    const { DetectionStatus, DetectionStatusReason, StackDriftStatus = 'UNKNOWN' } = detection
    if (DetectionStatus === 'DETECTION_IN_PROGRESS') {
      if (performance.now() - startedAt > patienceMs) throw new Error('drift detection does not end')
      await wait(pollMs)
      continue
    }
    const drifts = await listDrifts(client, stack)
    const drifted = drifts.filter(
      ({ StackResourceDriftStatus: status }) => status === 'MODIFIED' || status === 'DELETED',
    )
    // some resources may not be readable while others have drifted; what was found counts
    const status =
      DetectionStatus === 'DETECTION_COMPLETE' ? StackDriftStatus : `${DetectionStatus}: ${DetectionStatusReason}`
    return {
      stack,
      status,
      drifted: drifted.map(toDrifted),
      mappings: drifts.flatMap(toMapping),
      kept: drifts.flatMap(toKept),
      trails: drifts.flatMap(toTrail),
    }
  }
}

async function listDrifts(client: CloudFormationClient, stack: string): Promise<readonly StackResourceDrift[]> {
  const drifts: StackResourceDrift[] = []
  for await (const page of paginateDescribeStackResourceDrifts({ client }, { StackName: stack }))
    drifts.push(...(page.StackResourceDrifts ?? []))
  return drifts
}

function toDrifted(drift: StackResourceDrift): DriftFacts['drifted'][number] {
  return {
    logicalId: drift.LogicalResourceId ?? '',
    type: drift.ResourceType ?? '',
    status: drift.StackResourceDriftStatus ?? '',
    properties: (drift.PropertyDifferences ?? []).map(({ PropertyPath = '' }) => PropertyPath),
  }
}

/** What a mapping reads, which the template alone does not tell. */
function toMapping({ ResourceType, ActualProperties }: StackResourceDrift): readonly string[] {
  if (ResourceType !== 'AWS::Lambda::EventSourceMapping' || ActualProperties === undefined) return []
  const properties: unknown = JSON.parse(ActualProperties)
  return isObject(properties) && typeof properties.EventSourceArn === 'string' ? [properties.EventSourceArn] : []
}

/** Where nothing is said of a queue (API reference, CreateQueue, MessageRetentionPeriod). */
const QUEUE_SECONDS = 345_600
const DAY_SECONDS = 86_400

function toKept({ ResourceType: type, LogicalResourceId: logicalId = '', ActualProperties }: StackResourceDrift) {
  if ((type !== 'AWS::Logs::LogGroup' && type !== 'AWS::SQS::Queue') || ActualProperties === undefined) return []
  const { RetentionInDays: days, MessageRetentionPeriod: seconds = QUEUE_SECONDS } = JSON.parse(ActualProperties)
  const isLog = type === 'AWS::Logs::LogGroup'
  return [
    { logicalId, type, days: isLog ? (days === undefined ? undefined : Number(days)) : Number(seconds) / DAY_SECONDS },
  ]
}

function toTrail({ ResourceType: type, ActualProperties }: StackResourceDrift) {
  if (type !== 'AWS::CloudTrail::Trail' || ActualProperties === undefined) return []
  return [readTrailSettings(JSON.parse(ActualProperties))]
}

async function readTable(client: DynamoDBClient, table: string): Promise<Omit<CapturedFacts, 'compared'>> {
  return {
    table: await attempt(() => absentAs(undefined, ['ResourceNotFoundException'], () => describeTable(client, table))),
    destinations: await attempt(() =>
      absentAs([], ['ResourceNotFoundException'], () => describeDestinations(client, table)),
    ),
  }
}

async function describeTable(client: DynamoDBClient, name: string): Promise<TableFacts | undefined> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }))
  const keys = [...(table?.KeySchema ?? [])].sort((a, b) => `${a.KeyType}`.localeCompare(`${b.KeyType}`))
  const isOn = table?.StreamSpecification?.StreamEnabled === true
  return {
    status: table?.TableStatus ?? 'unknown',
    keys: keys.map(({ AttributeName = '' }) => AttributeName),
    viewType: isOn ? table?.StreamSpecification?.StreamViewType : undefined,
    // a stream that was switched off still has its ARN
    streamArn: isOn ? table?.LatestStreamArn : undefined,
  }
}

async function describeDestinations(client: DynamoDBClient, name: string): Promise<readonly KinesisDestination[]> {
  const { KinesisDataStreamDestinations: destinations = [] } = await client.send(
    new DescribeKinesisStreamingDestinationCommand({ TableName: name }),
  )
  return destinations.map(
    ({ StreamArn = '', DestinationStatus = 'unknown', ApproximateCreationDateTimePrecision }) => ({
      streamArn: StreamArn,
      status: DestinationStatus,
      precision: ApproximateCreationDateTimePrecision,
    }),
  )
}

async function readBucket(client: S3Client, bucket: string | undefined): Promise<DeployedFact<BucketFacts>> {
  if (bucket === undefined) return NO_OUTPUT
  const Bucket = bucket
  const facts: BucketFacts = {
    name: bucket,
    versioning: await attempt(
      async () => (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status ?? 'never enabled',
    ),
    lock: await attempt(() =>
      absentAs({ isEnabled: false, retention: undefined }, ['ObjectLockConfigurationNotFoundError'], () =>
        readLock(client, bucket),
      ),
    ),
    openTo: await attempt(() =>
      absentAs([...ACCESS_SETTINGS], ['NoSuchPublicAccessBlockConfiguration'], () => readOpen(client, bucket)),
    ),
    encryption: await attempt(() =>
      absentAs('none', ['ServerSideEncryptionConfigurationNotFoundError'], () => readEncryption(client, bucket)),
    ),
    lifecycle: await attempt(() => absentAs([], ['NoSuchLifecycleConfiguration'], () => readLifecycle(client, bucket))),
    policy: await attempt(() => absentAs([], ['NoSuchBucketPolicy'], () => readPolicy(client, bucket))),
  }
  return { kind: 'found', value: facts }
}

async function readLock(client: S3Client, Bucket: string): Promise<LockFacts> {
  const { ObjectLockConfiguration: lock } = await client.send(new GetObjectLockConfigurationCommand({ Bucket }))
  const { Mode, Days, Years } = lock?.Rule?.DefaultRetention ?? {}
  return {
    isEnabled: lock?.ObjectLockEnabled === 'Enabled',
    retention: Mode === undefined ? undefined : { mode: Mode, days: Days ?? (Years ?? 0) * 365 },
  }
}

const ACCESS_SETTINGS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const

async function readOpen(client: S3Client, Bucket: string): Promise<readonly string[]> {
  const { PublicAccessBlockConfiguration: block } = await client.send(new GetPublicAccessBlockCommand({ Bucket }))
  return ACCESS_SETTINGS.filter(setting => block?.[setting] !== true)
}

async function readPolicy(client: S3Client, Bucket: string): Promise<readonly PolicyStatement[]> {
  const { Policy = '{}' } = await client.send(new GetBucketPolicyCommand({ Bucket }))
  return parseStatements(Policy)
}

async function readEncryption(client: S3Client, Bucket: string): Promise<string> {
  const { ServerSideEncryptionConfiguration: encryption } = await client.send(
    new GetBucketEncryptionCommand({ Bucket }),
  )
  return encryption?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? 'none'
}

async function readLifecycle(client: S3Client, Bucket: string): Promise<readonly LifecycleRule[]> {
  const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
  return Rules.filter(({ Status }) => Status === 'Enabled').map(rule => ({
    id: rule.ID ?? '(no name)',
    prefix: rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? '',
    classes: (rule.Transitions ?? []).map(({ StorageClass = '' }) => StorageClass),
    expires: rule.Expiration?.Days !== undefined || rule.Expiration?.Date !== undefined,
    expiresVersions: rule.NoncurrentVersionExpiration !== undefined,
    days: rule.Expiration?.Days,
    versionDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
  }))
}
