import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { archiveOf, ORDERS, type Resource, type Resources, TABLE_KINDS, templateOf } from './archives.js'

interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource?: unknown
  readonly Principal?: unknown
  readonly Condition?: Record<string, Record<string, unknown>>
}

const many = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])
const actionsOf = (statement: Statement) => many(statement.Action)
/** What a statement is about, with intrinsics as text: `<AuditArchiveBucket...Arn>/data/*`. */
const resourcesOf = (statement: Statement) => many(statement.Resource ?? []).map(shown)

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  const [[intrinsic, of]] = Object.entries(value as object) as [[string, unknown]]
  if (intrinsic === 'Ref') return `<${of}>`
  if (intrinsic === 'Fn::GetAtt') return `<${(of as string[]).join('.')}>`
  return (of as [string, unknown[]])[1].map(shown).join('')
}

const documentOf = (document: { Statement: Statement | Statement[] }): readonly Statement[] => many(document.Statement)

/** What each role may do, by its id: the policies in it, and the policies that name it. */
function rolesOf(resources: Resources): ReadonlyMap<string, readonly Statement[]> {
  const entries = Object.entries(resources)
  return new Map(
    entries
      .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
      .map(([id, { Properties }]) => [
        id,
        [
          ...(Properties.Policies ?? []).flatMap((policy: Resource['Properties']) => documentOf(policy.PolicyDocument)),
          ...entries
            .filter(
              ([, other]) => other.Type === 'AWS::IAM::Policy' && JSON.stringify(other.Properties.Roles).includes(id),
            )
            .flatMap(([, other]) => documentOf(other.Properties.PolicyDocument)),
        ],
      ]),
  )
}

/** Every statement of every policy in a template, wherever it stands. */
function statementsIn(value: unknown, path = ''): readonly (readonly [path: string, statement: Statement])[] {
  if (typeof value !== 'object' || value === null) return []
  if ('Effect' in value && ('Action' in value || 'NotAction' in value)) return [[path, value as unknown as Statement]]
  return Object.entries(value).flatMap(([name, inner]) => statementsIn(inner, `${path}/${name}`))
}

const mixed = (props = {}) =>
  templateOf(
    {
      Orders: ORDERS,
      Sessions: { since: '2026-01-01', capture: 'kinesis' },
      Returns: { since: '2026-01-01', keys: ['order_id'], capture: 'kinesis', table: TABLE_KINDS.imported },
    },
    props,
  ).resources

const byDelivery = mixed()
const byBucket = mixed({ lock: { mode: 'compliance', days: 30, confirm: true, by: 'bucket' } })
const unlocked = mixed({ lock: { mode: 'none' } })
const compacted = mixed({ compact: true })

const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\<>]/g, '\\$&').replaceAll('*', '.*')}$`).test(text)
const roleNamed = (resources: Resources, part: string) =>
  [...rolesOf(resources)].find(([id]) => id.includes(part)) ?? ['', []]

/** What IAM answers, as far as these policies go: an allow of the role, and no deny of the bucket that reaches it. */
function may(resources: Resources, role: string, action: string, resource: string): boolean {
  const allowed = rolesOf(resources)
    .get(role)
    ?.some(
      statement =>
        statement.Effect === 'Allow' &&
        actionsOf(statement).some(a => matches(a, action)) &&
        resourcesOf(statement).some(r => matches(r, resource)),
    )
  const denied = Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::S3::BucketPolicy')
    .flatMap(({ Properties }) => documentOf(Properties.PolicyDocument))
    .filter(({ Effect, Condition }) => Effect === 'Deny' && !Condition?.Bool && !Condition?.NumericLessThan)
    .some(statement => {
      const spared = many(statement.Condition?.ArnNotEquals?.['aws:PrincipalArn'] ?? []).map(shown)
      return (
        !spared.includes(`<${role}.Arn>`) &&
        actionsOf(statement).some(a => matches(a, action)) &&
        resourcesOf(statement).some(r => matches(r, resource))
      )
    })
  return allowed === true && !denied
}

describe.each([
  ['locked after delivery', byDelivery],
  ['locked by its bucket', byBucket],
  ['not locked', unlocked],
  ['compacted', compacted],
])('in an archive that is %s', (_, resources) => {
  const allows = statementsIn(resources).filter(([, { Effect }]) => Effect === 'Allow')

  it('no statement allows to delete, to go round a lock, to remove one or to open the bucket', () => {
    const forbidden =
      /^(\*|s3:(\*|Delete.*|Bypass.*|PutObjectLegalHold|PutBucket.*|PutLifecycle.*|PutEncryption.*|Replicate.*|.*\*.*)|kms:(Schedule.*|Disable.*)|glue:(Delete|Create|Update).*)$/
    const found = allows.filter(([, statement]) => actionsOf(statement).some(action => forbidden.test(action)))
    // what is made from the archive, a table's own, can be made again
    const remade = found.filter(
      ([, statement]) =>
        actionsOf(statement).join() === 's3:DeleteObject' &&
        resourcesOf(statement).every(resource =>
          /^<AuditDerivedBucket[0-9A-F]{8}\.Arn>\/derived\/\w+\/\*$/.test(resource),
        ),
    )
    expect(remade).toHaveLength(resources === compacted ? 3 : 0)
    expect(found.filter(statement => !remade.includes(statement)).map(([path]) => path)).toEqual([])
  })

  it('every statement says its actions one by one', () => {
    const rest = allows.filter(
      ([, statement]) =>
        'NotAction' in statement ||
        'NotResource' in statement ||
        actionsOf(statement).some(action => action.includes('*')),
    )
    // the account administers the key through IAM, as AWS asks for; data keys have three names
    const known = /^\/AuditKey.*\/Properties\/KeyPolicy\//
    expect(rest.map(([path]) => path).filter(path => !known.test(path))).toEqual([])
  })

  it('only the locker sets a lock, and only with a lock to set', () => {
    const setters = [...rolesOf(resources)].filter(([, statements]) =>
      statements.some(statement => actionsOf(statement).includes('s3:PutObjectRetention')),
    )
    expect(setters.map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(
      resources === byDelivery || resources === compacted ? ['AuditLockFunctionRole'] : [],
    )
  })

  it("only Firehose's roles may write data, each its own table's", () => {
    const [bucket] =
      Object.entries(resources).find(([id, { Type }]) => Type === 'AWS::S3::Bucket' && id.includes('ArchiveBucket')) ??
      []
    const writers = (key: string) =>
      [...rolesOf(resources).keys()]
        .filter(role => may(resources, role, 's3:PutObject', `<${bucket}.Arn>/${key}`))
        .map(id => id.replace(/[0-9A-F]{8}$/, ''))
    expect(writers('data/Orders/event_date=2026-11-22/x.parquet')).toEqual(['AuditTablesOrdersDeliveryWriter'])
    expect(writers('data/Sessions/event_date=2026-11-22/x.parquet')).toEqual([
      'AuditTablesSessionsDeliveryWriter',
      'AuditTablesSessionsReplayWriter',
    ])
    expect(writers('data/Other/event_date=2026-11-22/x.parquet')).toEqual([])
    expect(writers('refused/processing-failed/Orders/x')).toEqual(['AuditTablesOrdersDeliveryWriter'])
    expect(writers('facts/Orders/x.json')).toEqual([])
    expect(writers('log/x')).toEqual([])
  })

  it("the archive's own policy denies writing data to all but Firehose's roles", () => {
    const statement = policyOf(resources).find(({ Sid }) => Sid === 'DenyWriting')
    expect(statement).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:PutObject' })
    const spared = many(statement?.Condition?.ArnNotEquals?.['aws:PrincipalArn'] ?? []).map(shown)
    expect(spared.map(arn => arn.replace(/[0-9A-F]{8}\.Arn>$/, ''))).toEqual([
      '<AuditTablesOrdersDeliveryWriter',
      '<AuditTablesSessionsDeliveryWriter',
      '<AuditTablesSessionsReplayWriter',
      '<AuditTablesReturnsDeliveryWriter',
      '<AuditTablesReturnsReplayWriter',
    ])
  })

  it('denies what is not TLS 1.2, in every bucket', () => {
    const policies = Object.values(resources).filter(({ Type }) => Type === 'AWS::S3::BucketPolicy')
    expect(policies).toHaveLength(resources === compacted ? 5 : 4)
    for (const { Properties } of policies) {
      const denied = documentOf(Properties.PolicyDocument).filter(({ Effect }) => Effect === 'Deny')
      expect(denied.some(({ Condition }) => Condition?.Bool?.['aws:SecureTransport'] === 'false')).toBe(true)
      expect(denied.some(({ Condition }) => Condition?.NumericLessThan?.['s3:TlsVersion'] === 1.2)).toBe(true)
    }
  })
})

const policyOf = (resources: Resources): readonly Statement[] =>
  documentOf(
    Object.entries(resources).find(
      ([id, { Type }]) => Type === 'AWS::S3::BucketPolicy' && id.includes('ArchiveBucket'),
    )?.[1].Properties.PolicyDocument,
  )

describe.each([
  ['locked after delivery', byDelivery],
  ['locked by its bucket', byBucket],
])('the policy of an archive that is %s', (_, resources) => {
  it('denies everyone to delete versions, to add delete markers and to bypass governance', () => {
    const statement = policyOf(resources).find(({ Sid }) => Sid === 'DenyDestruction')
    expect(statement).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' } })
    expect(statement?.Condition).toBeUndefined()
    expect(actionsOf(statement as Statement)).toEqual([
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      's3:BypassGovernanceRetention',
    ])
    expect(resourcesOf(statement as Statement)[0]).toMatch(/ArchiveBucket.*\.Arn>\/\*$/)
  })

  it('denies everyone but the locker to set retention', () => {
    const statements = policyOf(resources).filter(statement => actionsOf(statement).includes('s3:PutObjectRetention'))
    expect(statements).toHaveLength(1)
    const spared = many(statements[0]?.Condition?.ArnNotEquals?.['aws:PrincipalArn'] ?? []).map(shown)
    expect(spared).toEqual(resources === byDelivery ? [`<${roleNamed(resources, 'LockFunctionRole')[0]}.Arn>`] : [])
  })
})

const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents']
const QUERY = [
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
  'glue:GetDatabase',
  'glue:GetDatabases',
  'glue:GetPartition',
  'glue:GetPartitions',
  'glue:GetTable',
  'glue:GetTables',
  'kms:Decrypt',
  'kms:GenerateDataKey',
  's3:AbortMultipartUpload',
  's3:GetBucketLocation',
  's3:GetObject',
  's3:ListBucket',
  's3:ListMultipartUploadParts',
  's3:PutObject',
]
const SETTINGS = [
  's3:GetBucketLogging',
  's3:GetBucketObjectLockConfiguration',
  's3:GetBucketPolicy',
  's3:GetBucketPublicAccessBlock',
  's3:GetBucketVersioning',
  's3:GetEncryptionConfiguration',
  's3:GetLifecycleConfiguration',
]
const WRITER = [
  'glue:GetTable',
  'glue:GetTableVersion',
  'glue:GetTableVersions',
  'kms:Decrypt',
  'kms:GenerateDataKey',
  'lambda:GetFunctionConfiguration',
  'lambda:InvokeFunction',
  'logs:PutLogEvents',
  's3:AbortMultipartUpload',
  's3:GetBucketLocation',
  's3:GetObject',
  's3:ListBucket',
  's3:ListBucketMultipartUploads',
  's3:PutObject',
]
const READER = ['kinesis:DescribeStream', 'kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards']

/** Everything that each role may do. A role that is not here, or an action more or less, fails. */
const ROLES: { readonly [role: string]: readonly string[] } = {
  AuditRolesQueryUser: QUERY,
  AuditRolesAuditor: [
    ...QUERY,
    ...SETTINGS,
    's3:ListBucketVersions',
    's3:GetObjectLegalHold',
    's3:GetObjectRetention',
    's3:GetObjectVersion',
  ],
  AuditRolesOperator: [
    ...SETTINGS,
    'athena:GetWorkGroup',
    'cloudformation:BatchDescribeTypeConfigurations',
    'cloudformation:DescribeStackDriftDetectionStatus',
    'cloudformation:DescribeStackResourceDrifts',
    'cloudformation:DescribeStacks',
    'cloudformation:DetectStackDrift',
    'cloudformation:DetectStackResourceDrift',
    'cloudformation:ListStackResources',
    'cloudwatch:DescribeAlarms',
    'cloudwatch:GetMetricData',
    'dynamodb:DescribeKinesisStreamingDestination',
    'dynamodb:DescribeTable',
    'firehose:DescribeDeliveryStream',
    'firehose:PutRecordBatch',
    'glue:GetTable',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GetKeyRotationStatus',
    'lambda:GetEventSourceMapping',
    'lambda:ListEventSourceMappings',
    's3:GetBucketLocation',
    's3:GetObject',
    's3:ListBucket',
  ],
  AuditLockFunctionRole: [
    ...LOGS,
    'kms:Decrypt',
    's3:GetObjectRetention',
    's3:PutObjectRetention',
    'sqs:ChangeMessageVisibility',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:ReceiveMessage',
  ],
  AuditRefusedWatchFunctionRole: [...LOGS, 's3:ListBucket'],
  AuditTablesOrdersTransformFunctionRole: LOGS,
  AuditTablesOrdersDeliveryWriter: WRITER,
  AuditTablesOrdersForwarderFunctionRole: [
    ...LOGS,
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
    'firehose:PutRecordBatch',
    'kms:Decrypt',
    'kms:GenerateDataKey',
    's3:ListBucket',
    's3:PutObject',
  ],
  AuditTablesSessionsTransformFunctionRole: LOGS,
  AuditTablesSessionsDeliveryWriter: [...WRITER, ...READER],
  AuditTablesSessionsReplayWriter: WRITER,
  AuditTablesReturnsTransformFunctionRole: LOGS,
  AuditTablesReturnsDeliveryWriter: [...WRITER, ...READER],
  AuditTablesReturnsReplayWriter: WRITER,
  AuditTablesReturnsChangesAttachRole: [
    ...LOGS,
    'dynamodb:DescribeKinesisStreamingDestination',
    'dynamodb:DisableKinesisStreamingDestination',
    'dynamodb:EnableKinesisStreamingDestination',
    'dynamodb:UpdateKinesisStreamingDestination',
    'iam:CreateServiceLinkedRole',
    'kinesis:DescribeStream',
    'kinesis:ListStreams',
    'kinesis:PutRecords',
  ],
  // CDK's own function, which keeps the configurations
  AWS679f53fac002430cb0da5b7982bd2287ServiceRole: ['kms:Decrypt', 'kms:GenerateDataKey', 's3:PutObject'],
}

describe('roles', () => {
  const roles = rolesOf(byDelivery)

  it('are these and no others', () => {
    expect([...roles.keys()].map(id => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual(Object.keys(ROLES).sort())
  })

  it.each(Object.entries(ROLES))('let %s do exactly this', (role, actions) => {
    const [, statements] = roleNamed(byDelivery, role)
    expect([...new Set(statements.flatMap(actionsOf))].sort()).toEqual([...new Set(actions)].sort())
  })

  it('of an archive that is compacted are one more a table, for Athena over its rows and for what is made of them', () => {
    const added = [...rolesOf(compacted)].filter(([id]) => !roles.has(id))
    expect(added.map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(
      ['Orders', 'Sessions', 'Returns'].map(table => `AuditTables${table}CompactionFunctionRole`),
    )
    for (const [id, statements] of added) {
      expect([...new Set(statements.flatMap(actionsOf))].sort()).toEqual([
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        'athena:GetWorkGroup',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
        'glue:GetDatabase',
        'glue:GetPartitions',
        'glue:GetTable',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        ...LOGS,
        's3:AbortMultipartUpload',
        's3:DeleteObject',
        's3:GetBucketLocation',
        's3:GetObject',
        's3:ListBucket',
        's3:ListBucketMultipartUploads',
        's3:ListMultipartUploadParts',
        's3:PutObject',
      ])
      const table = /^AuditTables(\w+)Compaction/.exec(id)?.[1] as string
      const written = statements.filter(statement => actionsOf(statement).includes('s3:PutObject')).flatMap(resourcesOf)
      expect(written.map(resource => resource.replace(/[0-9A-F]{8}\.Arn>/, '>'))).toEqual([
        `<AuditDerivedBucket>/derived/${table}/*`,
        '<AuditWorkgroupResults>/*',
      ])
    }
    const bucket = [...Object.keys(compacted)].find(id => id.startsWith('AuditDerivedBucket') && !id.includes('Policy'))
    const writers = (key: string) =>
      [...rolesOf(compacted).keys()].filter(role => may(compacted, role, 's3:PutObject', `<${bucket}.Arn>/${key}`))
    expect(writers('derived/Orders/manifest.json').map(id => id.replace(/[0-9A-F]{8}$/, ''))).toEqual([
      'AuditTablesOrdersCompactionFunctionRole',
    ])
    const denied = Object.values(compacted)
      .filter(({ Type }) => Type === 'AWS::S3::BucketPolicy')
      .flatMap(({ Properties }) => documentOf(Properties.PolicyDocument))
      .filter(statement => resourcesOf(statement).some(resource => /DerivedBucket.*\/derived\//.test(resource)))
    expect(denied.flatMap(resourcesOf).map(resource => resource.replace(/[0-9A-F]{8}\.Arn>/, '>'))).toEqual(
      ['Orders', 'Sessions', 'Returns'].map(table => `<AuditDerivedBucket>/derived/${table}/*`),
    )
    const [, reader] = roleNamed(compacted, 'AuditRolesQueryUser')
    expect(reader.flatMap(resourcesOf).filter(resource => resource.includes('AuditDerived'))).toHaveLength(2)
  })

  it('of people are for people of the account, and of services for their service', () => {
    for (const [id, { Properties }] of Object.entries(byDelivery).filter(([, { Type }]) => Type === 'AWS::IAM::Role')) {
      const principals = documentOf(Properties.AssumeRolePolicyDocument).map(({ Principal }) =>
        JSON.stringify(Principal),
      )
      expect(principals).toHaveLength(1)
      expect(principals[0]).toMatch(id.includes('Roles') ? /:root/ : /"(lambda|firehose)\.amazonaws\.com"/)
    }
  })

  it('for people do not write into the archive', () => {
    for (const name of ['AuditRolesQueryUser', 'AuditRolesAuditor', 'AuditRolesOperator']) {
      const [, statements] = roleNamed(byDelivery, name)
      const writes = statements.filter(statement => actionsOf(statement).includes('s3:PutObject')).flatMap(resourcesOf)
      expect(writes.filter(resource => !resource.includes('WorkgroupResults'))).toEqual([])
    }
  })
})

describe('these checks', () => {
  it('see a statement that somebody plants', () => {
    const { stack, archive } = archiveOf({ Orders: ORDERS })
    archive.archive.bucket.grantDelete(archive.roles.operator)
    const resources = Template.fromStack(stack).toJSON().Resources as Resources
    expect(
      statementsIn(resources).some(
        ([, statement]) =>
          statement.Effect === 'Allow' && actionsOf(statement).some(action => action.startsWith('s3:Delete')),
      ),
    ).toBe(true)
  })
})
