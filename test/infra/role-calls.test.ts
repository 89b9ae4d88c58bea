/**
 * What each role may do, held against the very calls that its commands make: the commands run here, against servers
 * that stand in for AWS, and the SDK tells what they send.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { baselineDocument } from '../../capture/baseline.js'
import { writeFact } from '../../transform/fact.js'
import { configurationKey, factKey } from '../../transform/layout.js'
import { success } from '../athena-engine.js'
import { type AthenaServer, startAthenaServer } from '../athena-server.js'
import { archiveOf, fileOf, makeFolder, run } from '../cli/command-line.js'
import { type CloudWatchServer, startCloudWatchServer } from '../cloudwatch-server.js'
import { rowsOfRecord, writeRows } from '../delivery/desk.js'
import { answerFromFolder } from '../desk-athena.js'
import { CHANGED_AT, gapFact, streamsRecord, tableConfiguration } from '../factories.js'
import { type FirehoseServer, startFirehoseServer } from '../firehose-server.js'
import { type Loopback, startLoopback } from '../loopback.js'
import { type S3Server, startS3Server } from '../s3-server.js'
import { EXPORT_ARN, EXPORT_TIME, writeExport } from '../table-export.js'
import { ORDERS, TABLE_KINDS, templateOf } from './archives.js'
import { actionsOf, may, rolesOf } from './policies.js'
import { READ_HANDLERS } from './read-handlers.js'

const { resources } = templateOf({ Orders: { ...ORDERS, keys: ['order_id'], table: TABLE_KINDS.imported } })
const { resources: sealed } = templateOf(
  { Orders: { ...ORDERS, keys: ['order_id'], table: TABLE_KINDS.imported } },
  { seal: true },
)
const [QUERY_USER, AUDITOR, OPERATOR, BASELINE, RESTORER] = [
  'QueryUser',
  'Auditor',
  'Operator',
  'Baseline',
  'Restorer',
].map(role => `AuditRoles${role}`) as [string, string, string, string, string]

interface Call {
  readonly service: string
  readonly operation: string
  readonly input: Readonly<Record<string, string | undefined>>
}

/** Something that IAM is asked for. */
type Need = readonly [action: string, resource: string]

const HERE = 'eu-central-1:111122223333'
const BUCKETS: Readonly<Record<string, string>> = {
  archive: '<AuditArchiveBucket.Arn>',
  refused: '<AuditRefused.Arn>',
  results: '<AuditWorkgroupResults.Arn>',
}
const KEY = '<AuditKey.Arn>'
const PEOPLE = `arn:aws:athena:${HERE}:workgroup/<AuditWorkgroup>`

/** Operations of S3 that IAM calls by another name (S3 user guide, "Required permissions for Amazon S3 API operations"). */
const S3_ACTIONS: Readonly<Record<string, string>> = {
  ListObjectsV2: 's3:ListBucket',
  ListObjectVersions: 's3:ListBucketVersions',
  GetBucketEncryption: 's3:GetEncryptionConfiguration',
  GetBucketLifecycleConfiguration: 's3:GetLifecycleConfiguration',
  GetObjectLockConfiguration: 's3:GetBucketObjectLockConfiguration',
  GetPublicAccessBlock: 's3:GetBucketPublicAccessBlock',
}

function needsOf({ service, operation, input }: Call, workgroup: string): readonly Need[] {
  const action = `${service}:${operation}`
  switch (service) {
    case 's3': {
      const { Bucket = '', Key } = input
      const on = Key === undefined ? `${BUCKETS[Bucket]}` : `${BUCKETS[Bucket]}/${Key}`
      const decrypts: Need[] = operation === 'GetObject' ? [['kms:Decrypt', KEY]] : []
      const encrypts: Need[] = operation === 'PutObject' ? [['kms:GenerateDataKey', KEY]] : []
      return [[S3_ACTIONS[operation] ?? action, on], ...decrypts, ...encrypts]
    }
    case 'athena':
      return [
        [action, input.WorkGroup === 'people' ? PEOPLE : `arn:aws:athena:${HERE}:workgroup/<${workgroup}>`],
        ...(operation === 'StartQueryExecution' ? statementNeeds(workgroup) : []),
      ]
    case 'cloudformation':
      // drift detection is asked by its own id
      return [[action, 'StackDriftDetectionId' in input ? '*' : `arn:aws:cloudformation:${HERE}:stack/Stack/id`]]
    case 'dynamodb':
      return [[action, `arn:aws:dynamodb:${HERE}:table/Orders`]]
    case 'cloudwatch':
      return [[action, operation === 'DescribeAlarms' ? `arn:aws:cloudwatch:${HERE}:alarm:any` : '*']]
    case 'sns':
      return [[action, `${input.TopicArn}`]]
    case 'firehose':
      return [[action, '<AuditTablesOrdersDeliveryStream.Arn>']]
    default:
      return [[action, KEY]]
  }
}

/** What Athena does with the caller's rights for each statement (user guide, "Identity and access management"). */
function statementNeeds(workgroup: string): readonly Need[] {
  const glue = ['catalog', 'database/audit', 'table/audit/orders_deliveries'].map(
    name => `arn:aws:glue:${HERE}:${name}`,
  )
  const answers = `${BUCKETS.results}/${workgroup === 'AuditWorkgroup' ? 'people' : 'auditors'}/x.csv`
  return [
    ...glue.map(resource => ['glue:GetTable', resource] as const),
    ...glue.map(resource => ['glue:GetDatabase', resource] as const),
    ['s3:GetBucketLocation', `${BUCKETS.results}`],
    ['s3:ListBucket', `${BUCKETS.archive}`],
    ['s3:GetObject', `${BUCKETS.archive}/data/Orders/event_date=2026-11-22/x.parquet`],
    ['s3:PutObject', answers],
    ['s3:GetObject', answers],
    ['kms:Decrypt', KEY],
    ['kms:GenerateDataKey', KEY],
  ]
}

const IAM_NAMES: Readonly<Record<string, string>> = {
  S3: 's3',
  Athena: 'athena',
  CloudFormation: 'cloudformation',
  CloudWatch: 'cloudwatch',
  DynamoDB: 'dynamodb',
  Firehose: 'firehose',
  KMS: 'kms',
  SNS: 'sns',
}

let calls: Call[] = []
/** Every client of the SDK sends by this. */
const sdk = Object.getPrototypeOf(S3Client.prototype) as { send: (...given: unknown[]) => unknown }

let s3: S3Server
let athena: AthenaServer
let firehose: FirehoseServer
let cloudWatch: CloudWatchServer
let others: Loopback
/** What the table holds. */
let items: object[] = []

beforeAll(async () => {
  expect(Object.getPrototypeOf(AthenaClient.prototype)).toBe(sdk)
  s3 = await startS3Server()
  athena = await startAthenaServer()
  firehose = await startFirehoseServer()
  cloudWatch = await startCloudWatchServer()
  others = await startLoopback((request, body, response) => {
    const target = String(request.headers['x-amz-target'] ?? '')
    if (!target.startsWith('DynamoDB'))
      return response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(body.includes('ListStackResources') ? RESOURCES : STACK)
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' })
    return response.end(JSON.stringify(tableAnswers(target.split('.')[1] ?? '', JSON.parse(body.toString()))))
  })
})
afterAll(() => Promise.all([s3, athena, firehose, cloudWatch, others].map(server => server.stop())))

const member = ([key, value]: readonly string[]) =>
  `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`
const TOPIC = `arn:aws:sns:${HERE}:Stack-AuditAlarmTopic-1A2B3C4D5E6F`
const OUTPUTS = {
  AuditArchiveBucket: 'archive',
  AuditRefusedBucket: 'refused',
  AuditDatabaseName: 'audit',
  AuditWorkgroupName: 'people',
  AuditAuditorWorkgroup: 'auditors',
  AuditAlarmTopicArn: TOPIC,
}
const STACK = `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>Stack</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${Object.entries(OUTPUTS).map(member).join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`

const ALARM = 'Stack-Orders-stream-behind'
const RESOURCES = `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member><LogicalResourceId>A</LogicalResourceId><PhysicalResourceId>${ALARM}</PhysicalResourceId><ResourceType>AWS::CloudWatch::Alarm</ResourceType></member><member><LogicalResourceId>T</LogicalResourceId><PhysicalResourceId>${TOPIC}</PhysicalResourceId><ResourceType>AWS::SNS::Topic</ResourceType></member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`

function tableAnswers(operation: string, { RequestItems }: { RequestItems?: Record<string, unknown> }): object {
  const [arn, KeySchema] = [`arn:aws:dynamodb:${HERE}:table/Orders`, [{ AttributeName: 'order_id', KeyType: 'HASH' }]]
  if (operation === 'DescribeTable')
    return {
      Table: {
        TableName: 'Orders',
        TableArn: arn,
        TableStatus: 'ACTIVE',
        KeySchema,
        AttributeDefinitions: [{ AttributeName: 'order_id', AttributeType: 'S' }],
      },
    }
  if (operation === 'Scan') return { Items: items, Count: items.length }
  if (operation === 'GetItem') return { Item: items[0] }
  if (operation === 'BatchGetItem')
    return { Responses: { [Object.keys(RequestItems ?? {})[0] ?? '']: items }, UnprocessedKeys: {} }
  return { Attributes: items[0] }
}

beforeEach(() => {
  const send = sdk.send
  vi.spyOn(sdk, 'send').mockImplementation(function (this: { config: { serviceId: string } }, ...given) {
    const command = given[0] as { constructor: { name: string }; input: Call['input'] }
    const service = IAM_NAMES[this.config.serviceId] ?? this.config.serviceId
    calls.push({ service, operation: command.constructor.name.replace(/Command$/, ''), input: command.input })
    return send.apply(this, given)
  })
  const endpoints = {
    S3: s3,
    ATHENA: athena,
    FIREHOSE: firehose,
    CLOUDWATCH: cloudWatch,
    CLOUDFORMATION: others,
    DYNAMODB: others,
    KMS: others,
    SNS: others,
  }
  for (const [name, { endpoint }] of Object.entries(endpoints)) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, endpoint)
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'loopback')
  vi.stubEnv('AWS_REGION', 'us-east-1')
  calls = []
  s3.versions.length = 0
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** What the commands of each role have asked of IAM. */
const used = new Map<string, Set<string>>()

/** What a role lacks of what was sent. */
function lacking(role: string, workgroup = 'AuditWorkgroup', of = resources): readonly string[] {
  const needs = calls.flatMap(call => needsOf(call, workgroup))
  used.set(role, new Set([...(used.get(role) ?? []), ...needs.map(([action]) => action)]))
  return needs.filter(([action, resource]) => !may(of, role, action, resource)).map(need => need.join(' '))
}
const sent = () => [...new Set(calls.map(({ service, operation }) => `${service}:${operation}`))].sort()

/** What people do by hand, in the console or with `aws`, and services with the rights of who asks them. */
const IN_CONSOLE = /^(athena:(BatchGet|Get|List|StopQuery)|glue:Get(Database|Partition|Table)s?|glue:GetPartition)/
const LARGE_ANSWERS = /^s3:(AbortMultipartUpload|ListMultipartUploadParts)$/
const SETTINGS = /^s3:Get(Bucket|EncryptionConfiguration$|LifecycleConfiguration$)/
/** An archive is copied with `aws s3 sync`, by the bucket that the stack names. */
const COPIES = /^(s3:(GetBucketLocation|GetObject|ListBucket)|kms:Decrypt|cloudformation:DescribeStacks)$/
const BESIDES: Readonly<Record<string, readonly RegExp[]>> = {
  [QUERY_USER]: [IN_CONSOLE, LARGE_ANSWERS],
  // the evidence itself, which an auditor looks at with tools of others
  [AUDITOR]: [IN_CONSOLE, LARGE_ANSWERS, SETTINGS, /^s3:(ListBucketVersions|GetObject(Version|Retention|LegalHold))$/],
  [OPERATOR]: [
    IN_CONSOLE,
    LARGE_ANSWERS,
    SETTINGS,
    // what CloudFormation asks about drift, and doctor about keys and locks that are there
    /^(cloudformation:(BatchDescribe|Describe|Detect|List)|cloudwatch:|lambda:|kms:(Describe|Get|List)|s3:GetObjectRetention)/,
    new RegExp(`^(${Object.values(READ_HANDLERS).flat().join('|')})$`),
  ],
  // exports are made with `aws dynamodb`
  [BASELINE]: [IN_CONSOLE, LARGE_ANSWERS, /^dynamodb:(DescribeExport|ExportTableToPointInTime|ListExports)$/, COPIES],
  // whole tables, and items that came or went since
  [RESTORER]: [/^dynamodb:(DeleteItem|PutItem|Scan)$/, COPIES],
}

const CONFIG = () =>
  fileOf(
    'config.json',
    JSON.stringify({
      lock: { mode: 'governance', days: 30 },
      tables: { Orders: { since: '2026-11-01', keys: ['order_id'] } },
    }),
  )
const GAP = gapFact({ recorded: '2026-11-22T12:00:00Z', to: '2026-11-22T12:00:00Z' })

/** Lets Athena show the workgroup of people to who may see it: the others are told that another one is meant. */
function openWorkgroup(role: string): boolean {
  athena.workgroup.name = role === AUDITOR ? 'auditors' : 'people'
  const mayUse = may(resources, role, 'athena:GetWorkGroup', PEOPLE)
  const denied = { status: 400, type: 'AccessDeniedException', message: 'not authorized' }
  athena.fault = operation => (operation === 'GetWorkGroup' && !mayUse ? denied : undefined)
  return mayUse
}

/** Athena as it answers questions about an item that it has no row of. */
const ask = async (...flags: readonly string[]) => {
  s3.add({ key: factKey(GAP), body: Buffer.from(writeFact(GAP)) })
  athena.answer = success(['n bigint'])
  await run(['query', 'volume-by-hour', 'Orders', '--stack', 'Stack', '--config', CONFIG(), ...flags])
  await run(['history', 'Orders', 'A', '--stack', 'Stack', '--config', CONFIG(), ...flags])
  for (const what of ['continuity', 'rows'])
    await run(['verify', what, '--stack', 'Stack', '--config', CONFIG(), ...flags])
}

describe('a role can do what its commands do:', () => {
  it.each([
    ['who asks', QUERY_USER, 'AuditWorkgroup'],
    ['the operator', OPERATOR, 'AuditWorkgroup'],
    ['the auditor, in a workgroup apart', AUDITOR, 'AuditWorkgroupAuditors'],
  ])('%s asks with --stack, where there are facts', async (_, role, workgroup) => {
    const mayUse = openWorkgroup(role)
    await ask()
    expect(mayUse).toBe(role !== AUDITOR)
    expect(sent()).toEqual(
      expect.arrayContaining([
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        'athena:StartQueryExecution',
        'cloudformation:DescribeStacks',
        's3:GetObject',
        's3:ListObjectsV2',
      ]),
    )
    // by which it is known that another workgroup is meant
    const told = role === AUDITOR ? Array(4).fill(`athena:GetWorkGroup ${PEOPLE}`) : []
    // whoever is on call looks at the table, too; the others are told that nobody did
    const looks = role === OPERATOR ? [] : [`dynamodb:GetItem arn:aws:dynamodb:${HERE}:table/Orders`]
    expect(lacking(role, workgroup).toSorted()).toEqual([...told, ...looks].toSorted())
  })

  it.each([QUERY_USER, AUDITOR, OPERATOR])('%s holds a sealed archive against its journal', async role => {
    const [root, key] = [await archiveOf([streamsRecord()]), join(makeFolder(), 'seal.key')]
    const { out } = await run(['seal', '--init', '--key', key, '--origin', 'audit.example/orders'])
    await run(['seal', '--archive', root, '--key', key])
    for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' }))
      if (statSync(join(root, file)).isFile()) s3.add({ key: file, body: readFileSync(join(root, file)) })
    calls = []
    openWorkgroup(role)
    // what is found is another test's matter: this machine remembers the journal of the role before
    for (const what of ['log', 'objects'])
      await run(['verify', what, '--stack', 'Stack', '--config', CONFIG(), '--key', out.trim()])
    expect(sent()).toEqual(expect.arrayContaining(['s3:GetObject', 's3:ListObjectVersions', 's3:ListObjectsV2']))
    const told = role === AUDITOR ? Array(2).fill(`athena:GetWorkGroup ${PEOPLE}`) : []
    expect(lacking(role, 'AuditWorkgroupAuditors', sealed)).toEqual(told)
  })

  it('the operator sends again what was refused', async () => {
    const change = JSON.stringify(streamsRecord())
    const failed = JSON.stringify({
      attemptsMade: 4,
      arrivalTimestamp: 1795341600000,
      errorCode: 'Lambda.FunctionError',
      errorMessage: 'x',
      attemptEndingTimestamp: 1795341600000,
      rawData: Buffer.from(change).toString('base64'),
    })
    s3.add({ key: 'refused/processing-failed/Orders/x', body: Buffer.from(`${failed}\n`) })
    firehose.stream('replay').description = {
      status: 'ACTIVE',
      type: 'DirectPut',
      prefix: 'data/Orders/event_date=!{x}/',
    }
    const ledger = join(makeFolder(), 'ledger')
    for (const bucket of ['archive', 'refused'])
      await run([
        'redrive',
        'Orders',
        '--bucket',
        bucket,
        '--send',
        '--delivery-stream',
        'replay',
        '--ledger',
        ledger,
        '--config',
        CONFIG(),
      ])
    expect(sent()).toEqual([
      'firehose:DescribeDeliveryStream',
      'firehose:PutRecordBatch',
      's3:GetObject',
      's3:ListObjectsV2',
    ])
    expect(lacking(OPERATOR)).toEqual([])
  })

  it('the operator checks what is deployed', async () => {
    s3.add({ key: 'data/Orders/event_date=2026-11-22/x.parquet', body: Buffer.from('x') })
    await run(['doctor', '--stack', 'Stack', '--config', CONFIG()])
    expect(sent().length).toBeGreaterThan(10)
    expect(sent()).toContain('sns:GetTopicAttributes')
    expect(lacking(OPERATOR)).toEqual([])
  })

  it('the operator asks a stack how it is', async () => {
    cloudWatch.alarms.push({
      AlarmName: ALARM,
      AlarmDescription: '[warn] Orders: behind. docs/runbook.md, stream-behind',
      ...{ Namespace: 'AWS/Lambda', MetricName: 'IteratorAge', Period: 60, Statistic: 'Maximum', Threshold: 1 },
    })
    for (const key of ['data/Orders/event_date=2026-11-22/x.parquet', 'refused/oversize/Orders/x', factKey(GAP)])
      s3.add({ key, body: Buffer.from(key.startsWith('facts/') ? writeFact(GAP) : 'x') })
    athena.workgroup.name = 'people'
    athena.fault = () => undefined
    athena.answer = success(['change timestamp', 'delivered timestamp'], [['2026-11-22 10:00:00.000', null]])
    const { out } = await run(['status', '--stack', 'Stack', '--config', CONFIG()])
    expect(out).not.toContain('not known')
    expect(sent()).toEqual(
      expect.arrayContaining([
        'athena:StartQueryExecution',
        'cloudformation:ListStackResources',
        'cloudwatch:DescribeAlarms',
        'cloudwatch:GetMetricData',
        's3:GetObject',
      ]),
    )
    expect(lacking(OPERATOR)).toEqual([])
    expect(lacking(QUERY_USER)).toContain('cloudwatch:GetMetricData *')
  })

  it('that of baselines takes one, and keeps its fact', async () => {
    const origin = { method: 'export', source: EXPORT_ARN, fromUs: Date.parse(EXPORT_TIME) * 1000 } as const
    const item = '{"order_id":{"S":"A"}}'
    s3.add({ key: configurationKey({ ...tableConfiguration(), since: '2026-11-01' }), body: Buffer.from('{}') })
    const folder = makeFolder()
    await writeRows(folder, rowsOfRecord(baselineDocument(item, 'Orders', origin)))
    const day = 'data/Orders/event_date=2026-11-22/'
    for (const name of readdirSync(join(folder, day)))
      s3.add({ key: day + name, body: readFileSync(join(folder, day, name)) })
    const exported = writeExport(makeFolder(), { files: [[`{"Item":${item}}`]] })
    const { exit, err } = await run([
      'baseline',
      'Orders',
      '--export',
      exported,
      '--delivery-stream',
      'replay',
      '--bucket',
      'archive',
      '--config',
      CONFIG(),
    ])
    expect([exit, err]).toEqual([0, expect.anything()])
    expect(sent()).toEqual([
      'firehose:DescribeDeliveryStream',
      'firehose:PutRecordBatch',
      's3:GetObject',
      's3:ListObjectsV2',
      's3:PutObject',
    ])
    expect(lacking(BASELINE)).toEqual([])
    expect(lacking(OPERATOR)).toEqual([`s3:PutObject ${BUCKETS.archive}/${s3.versions.at(-1)?.key}`])
  })

  it('that of baselines scans a table, and looks again at what differs', async () => {
    const root = await archiveOf([
      streamsRecord({ Keys: { order_id: { S: 'A' } }, NewImage: { order_id: { S: 'A' } } }),
    ])
    items = [{ order_id: { S: 'A' }, status: { S: 'PAID' } }]
    await run(['reconcile', 'Orders', '--scan', '--archive', root, '--config', CONFIG()])
    expect(sent()).toEqual(['dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:Scan'])
    expect(lacking(BASELINE)).toEqual([])
    expect(lacking(QUERY_USER)).not.toEqual([])
  })

  it('that of baselines compares the archive of the stack with a table, and keeps the fact', async () => {
    items = [{ order_id: { S: 'A' }, status: { S: 'PAID' } }]
    athena.workgroup.name = 'people'
    athena.fault = () => undefined
    const Keys = { order_id: { S: 'B' } }
    athena.answer = answerFromFolder(await archiveOf([streamsRecord({ Keys, NewImage: Keys })]), 'archive')
    const { out, err } = await run(['reconcile', 'Orders', '--scan', '--stack', 'Stack', '--config', CONFIG()])
    expect([out, err]).toEqual([
      expect.stringContaining('1 missing in the archive'),
      expect.stringMatching(/^athena: /m),
    ])
    expect(sent()).toEqual(
      expect.arrayContaining(['athena:StartQueryExecution', 'dynamodb:Scan', 's3:ListObjectsV2', 's3:PutObject']),
    )
    expect(lacking(BASELINE)).toEqual([])
    expect(lacking(OPERATOR)).toContain(`dynamodb:Scan arn:aws:dynamodb:${HERE}:table/Orders`)
  })

  it('the restorer puts an item back', async () => {
    const order = (status: string) => ({ order_id: { S: 'A' }, status: { S: status } })
    const Keys = { order_id: { S: 'A' } }
    const root = await archiveOf([
      streamsRecord({ Keys, NewImage: order('PAID'), eventID: 'a', SequenceNumber: '1' }),
      streamsRecord({
        Keys,
        OldImage: order('PAID'),
        NewImage: order('LOST'),
        eventID: 'b',
        SequenceNumber: '2',
        ApproximateCreationDateTime: CHANGED_AT + 60,
      }),
    ])
    items = [order('LOST')]
    const asOf = new Date((CHANGED_AT + 30) * 1000).toISOString()
    const restored = await run([
      'restore',
      'Orders',
      'A',
      '--as-of',
      asOf,
      '--apply',
      '--plan',
      join(makeFolder(), 'plan'),
      '--archive',
      root,
      '--config',
      CONFIG(),
    ])
    expect(restored.out).toContain('1 restored')
    expect(sent()).toEqual(['dynamodb:BatchGetItem', 'dynamodb:DescribeTable', 'dynamodb:UpdateItem'])
    expect(lacking(RESTORER)).toEqual([])
    for (const role of [QUERY_USER, AUDITOR, OPERATOR, BASELINE])
      expect(lacking(role)).toContain(`dynamodb:UpdateItem arn:aws:dynamodb:${HERE}:table/Orders`)
  })

  it('and nothing that none of them does, but for what is listed', () => {
    const more = (role: string) =>
      [...new Set((rolesOf(resources).get(role) ?? []).flatMap(actionsOf))].filter(
        action => !used.get(role)?.has(action),
      )
    for (const role of [QUERY_USER, AUDITOR, OPERATOR, BASELINE, RESTORER])
      expect([
        role,
        more(role)
          .filter(action => !BESIDES[role]?.some(by => by.test(action)))
          .sort(),
      ]).toEqual([role, []])
  })
})
