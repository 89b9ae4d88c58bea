import type { Stack } from 'aws-cdk-lib'
import { AccountRootPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { describe, expect, it } from 'vitest'
import type { AuditArchiveProps } from '../../infra/archive-props.js'
import type { AuditArchive } from '../../infra/audit-archive.js'
import { archiveOf, ENVIRONMENT, ORDERS, ofType, type Resources, TABLE_KINDS } from './archives.js'
import {
  actionsOf,
  bucketPolicies,
  may,
  named,
  reaches,
  resourcesOf,
  rolesOf,
  type Statement,
  sparedBy,
  statementsIn,
  trustOf,
} from './policies.js'
import { wholeTemplate } from './whole-template.js'

const TABLES = {
  Orders: ORDERS,
  Sessions: { since: '2026-01-01', capture: 'kinesis' },
  Returns: { since: '2026-01-01', keys: ['order_id'], capture: 'kinesis', table: TABLE_KINDS.imported },
} as const

/** The template of an archive of three tables, with what somebody does to it before it is made. */
function templateOf(
  props: Partial<AuditArchiveProps> = {},
  plant: Plant = () => {},
  tables: Parameters<typeof archiveOf>[0] = TABLES,
): Resources {
  const { stack, archive } = archiveOf(tables, props)
  plant(archive, stack)
  return wholeTemplate(stack).toJSON().Resources
}

const ARCHIVES = {
  'locked after delivery': templateOf(),
  'locked by its bucket': templateOf({ lock: { mode: 'compliance', days: 30, confirm: true, by: 'bucket' } }),
  'not locked': templateOf({ lock: { mode: 'none' } }),
  compacted: templateOf({ compact: true }),
  sealed: templateOf({ seal: true }),
  erasable: templateOf({}, () => {}, {
    ...TABLES,
    Orders: { ...ORDERS, erasable: [{ subject: 'buyer.id', attributes: ['buyer.name'] }] },
  }),
  'asked by a role of somebody': templateOf({}, archive => {
    archive.grantQuery(new Role(archive, 'Somebody', { assumedBy: new AccountRootPrincipal() }))
  }),
}

const ARCHIVE = '<AuditArchiveBucket.Arn>'
const RESULTS = '<AuditWorkgroupResults.Arn>'
const DERIVED = '<AuditDerivedBucket.Arn>'
const REFUSED = '<AuditRefused.Arn>'

const ERASER = /^AuditPersonsRolesEraser$/
const REVEALER = /^AuditPersonsRolesRevealer$/
const SEALS = /^AuditTablesOrdersTransformFunctionRole$/
const MAKER = /^AuditPersonsKeysMakerRole$/
const ASKS = /^Audit(RolesQueryUser|RolesAuditor|RolesOperator|RolesBaseline|PersonsRoles\w+|Somebody)$/
const BASELINE = /^AuditRolesBaseline$/
const RESTORER = /^AuditRolesRestorer$/
const PEOPLE = /^Audit(Roles\w+|PersonsRoles\w+|Somebody)$/
/** `baseline`, `reconcile` and `restore` look at a copy of the archive. */
const COPIES = /^AuditRoles(Baseline|Restorer)$/
const OPERATOR = /^AuditRolesOperator$/
const WRITER = /^AuditTables(\w+)(Delivery|Replay)Writer$/
const FORWARDER = /^AuditTables(\w+)ForwarderFunctionRole$/
const COMPACTION = /^AuditTables(\w+)CompactionFunctionRole$/
const ATTACH = /^AuditTables(\w+)ChangesAttachRole$/
const SEALER = /^AuditJournalSealerRole$/
const JOURNAL = /^AuditJournal(Sealer|Check)Role$/
const LOCKER = /^AuditLockFunctionRole$/
const LOGS = /FunctionRole$|KeysMakerRole$|Journal(Sealer|Check)Role$|ChangesAttachRole$|Writer$/
const KEEPER = /^AuditConfigurationsFunctionRole$/

/** The keys of persons: their table, and the key that opens what is in it. */
const KEYS = /^<AuditPersonsKeysTable\.Arn>$/
const SECRETS = /^<AuditPersonsKeysKey\.Arn>$/

/** One of the tables, as a policy names it. */
const TABLE = /^(<(Orders|Sessions)\.Arn>|.*:table\/Returns)$/

type Plant = (archive: AuditArchive, stack: Stack) => void
/** Allows of a role, one action and one resource each. */
interface Allow {
  readonly role: string
  readonly action: string
  readonly resource: string
  readonly statement: Statement
}

function allowsOf(resources: Resources): readonly Allow[] {
  return [...rolesOf(resources)].flatMap(([role, statements]) =>
    statements
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(statement =>
        actionsOf(statement).flatMap(action =>
          resourcesOf(statement).map(resource => ({ role, action, resource, statement })),
        ),
      ),
  )
}

const LOOKS = /^\w+:(Get|List|Scan|Describe|BatchGet|BatchDescribe|ReceiveMessage)/

/** Whoever changes anything, anywhere: the action, the role, and what of. What is not here, nobody may. */
const CHANGES: readonly (readonly [action: string, role: RegExp, of: (table: string) => RegExp])[] = [
  ['athena:StartQueryExecution', ASKS, () => /workgroup\/<AuditWorkgroup(Auditors)?>$/],
  ['athena:StopQueryExecution', ASKS, () => /workgroup\/<AuditWorkgroup(Auditors)?>$/],
  ['athena:StartQueryExecution', COMPACTION, () => /workgroup\/<AuditDerivedWorkgroup>$/],
  ['athena:StopQueryExecution', COMPACTION, () => /workgroup\/<AuditDerivedWorkgroup>$/],
  ['cloudformation:DetectStackDrift', OPERATOR, () => /stack\/Stack\*\/\*$/],
  ['cloudformation:DetectStackResourceDrift', OPERATOR, () => /stack\/Stack\*\/\*$/],
  ['dynamodb:DisableKinesisStreamingDestination', ATTACH, table => new RegExp(`:table/${table}$`)],
  ['dynamodb:EnableKinesisStreamingDestination', ATTACH, table => new RegExp(`:table/${table}$`)],
  ['dynamodb:UpdateKinesisStreamingDestination', ATTACH, table => new RegExp(`:table/${table}$`)],
  ['dynamodb:ExportTableToPointInTime', BASELINE, () => TABLE],
  ['dynamodb:DeleteItem', RESTORER, () => TABLE],
  ['dynamodb:PutItem', RESTORER, () => TABLE],
  ['dynamodb:UpdateItem', RESTORER, () => TABLE],
  ['dynamodb:PutItem', ERASER, () => KEYS],
  ['dynamodb:UpdateItem', ERASER, () => KEYS],
  ['dynamodb:Query', ERASER, () => KEYS],
  ['dynamodb:Query', REVEALER, () => KEYS],
  ['dynamodb:Query', RESTORER, () => KEYS],
  ['dynamodb:PutItem', SEALS, () => KEYS],
  // a baseline seals as the transform does, a restore opens
  ['dynamodb:PutItem', BASELINE, () => KEYS],
  ['dynamodb:PutItem', MAKER, () => KEYS],
  ['firehose:PutRecordBatch', BASELINE, () => /^<AuditTables\w+(Delivery|Replay)Stream.Arn>$/],
  ['firehose:PutRecordBatch', OPERATOR, () => /^<AuditTables\w+(Delivery|Replay)Stream.Arn>$/],
  ['firehose:PutRecordBatch', FORWARDER, table => new RegExp(`^<AuditTables${table}DeliveryStream.Arn>$`)],
  ['iam:CreateServiceLinkedRole', ATTACH, () => /AWSServiceRoleForDynamoDBKinesisDataStreamsReplication$/],
  ['kinesis:PutRecords', ATTACH, table => new RegExp(`^<AuditTables${table}ChangesStream.Arn>$`)],
  ['kms:Decrypt', /./, () => /^<AuditKey.Arn>$/],
  ['kms:Decrypt', ERASER, () => SECRETS],
  ['kms:Decrypt', REVEALER, () => SECRETS],
  ['kms:Decrypt', SEALS, () => SECRETS],
  ['kms:Decrypt', BASELINE, () => SECRETS],
  ['kms:Decrypt', RESTORER, () => SECRETS],
  ['kms:GenerateDataKey', MAKER, () => SECRETS],
  ['kms:GenerateDataKey', /./, () => /^<AuditKey.Arn>$/],
  ['lambda:InvokeFunction', WRITER, table => new RegExp(`^<AuditTables${table}TransformFunction.Arn>(:\\*)?$`)],
  ['logs:CreateLogStream', LOGS, () => /Log.Arn>$/],
  ['logs:PutLogEvents', LOGS, () => /Log.Arn>$/],
  ['s3:AbortMultipartUpload', ASKS, () => /^<AuditWorkgroupResults.Arn>\/(people|auditors)\/\*$/],
  ['s3:PutObject', ASKS, () => /^<AuditWorkgroupResults.Arn>\/(people|auditors)\/\*$/],
  ['s3:PutObject', ERASER, () => new RegExp(`^${ARCHIVE}/facts/\\*$`)],
  ['s3:PutObject', BASELINE, () => new RegExp(`^${ARCHIVE}/facts/\\*$`)],
  ['s3:AbortMultipartUpload', WRITER, written],
  ['s3:PutObject', WRITER, written],
  ['s3:AbortMultipartUpload', COMPACTION, made],
  ['s3:PutObject', COMPACTION, made],
  ['s3:DeleteObject', COMPACTION, table => new RegExp(`^${DERIVED}/derived/${table}/\\*$`)],
  ['s3:PutObject', FORWARDER, table => new RegExp(`^${REFUSED}/(refused/oversize/${table}|aws/lambda)/\\*$`)],
  ['s3:PutObject', KEEPER, () => new RegExp(`^${ARCHIVE}/config/\\*$`)],
  ['s3:PutObjectRetention', KEEPER, () => new RegExp(`^${ARCHIVE}/config/\\*$`)],
  ['s3:PutObjectRetention', LOCKER, () => new RegExp(`^${ARCHIVE}/(data|config|facts|log/(next|tile))/\\*$`)],
  ['s3:PutObject', SEALER, () => new RegExp(`^${ARCHIVE}/log/\\*$`)],
  ['s3:PutObject', /^AuditJournalCheckRole$/, () => new RegExp(`^${ARCHIVE}/checked/\\*$`)],
  ['sns:Publish', JOURNAL, () => /^<AuditJournalCheckpoints>$/],
  ['sqs:ChangeMessageVisibility', LOCKER, () => /^<AuditLockWaiting.Arn>$/],
  ['sqs:DeleteMessage', LOCKER, () => /^<AuditLockWaiting.Arn>$/],
]

function written(table: string): RegExp {
  return new RegExp(`^${ARCHIVE}/(data|refused/\\*)/${table}/\\*$`)
}

function made(table: string): RegExp {
  return new RegExp(`^(${DERIVED}/derived/${table}|${RESULTS}/compaction)/\\*$`)
}

const told = ({ role, action, resource }: Allow) => `${role} may ${action} ${resource}`
const breaking = (broken: (allow: Allow) => boolean) => (resources: Resources) =>
  allowsOf(resources).filter(broken).map(told)
const reads = ({ action }: Allow) => /^s3:GetObject(Version)?$/.test(action)
const allows =
  (more: (archive: AuditArchive) => readonly [role: Role, action: string, resource: string]): Plant =>
  archive => {
    const [role, action, resource] = more(archive)
    role.addToPolicy(new PolicyStatement({ actions: [action], resources: [resource] }))
  }

interface Law {
  /** Each thing that breaks it. */
  readonly broken: (resources: Resources) => readonly string[]
  /** Something that breaks it, to show that it can fail. */
  readonly plant: Plant
}

const LAWS: { readonly [promise: string]: Law } = {
  'no role but its writer may put under data/': {
    broken: breaking(
      ({ role, action, resource }) =>
        /^s3:(Put|\*)/.test(action) &&
        reaches(resource, `${ARCHIVE}/data/`) &&
        !WRITER.test(role) &&
        !LOCKER.test(role),
    ),
    plant: allows(({ roles, archive }) => [roles.operator, 's3:PutObject', archive.bucket.arnForObjects('*')]),
  },
  'no role may delete anything but what is made from the archive, and the restorer items of tables': {
    broken: breaking(
      ({ role, action, resource }) =>
        /:(.*Delete(?!Message)|\*)/.test(action) &&
        !resource.startsWith(`${DERIVED}/derived/`) &&
        !(RESTORER.test(role) && TABLE.test(resource)),
    ),
    plant: archive => void archive.archive.bucket.grantDelete(archive.roles.operator),
  },
  'no role may go round a lock, remove one or open a bucket': {
    broken: breaking(({ action }) =>
      /^(\*|s3:(\*|Bypass.*|PutObjectLegalHold|PutBucket.*|PutLifecycle.*|PutEncryption.*|Replicate.*)|kms:(Schedule|Disable|Put).*)$/.test(
        action,
      ),
    ),
    plant: allows(({ roles, archive }) => [
      roles.auditor,
      's3:BypassGovernanceRetention',
      archive.bucket.arnForObjects('*'),
    ]),
  },
  'no role but the locker may set retention, and the keeper of what it writes': {
    broken: breaking(
      ({ role, action }) => action === 's3:PutObjectRetention' && ![LOCKER, KEEPER].some(it => it.test(role)),
    ),
    plant: allows(({ tables, archive }) => [
      tables[0]?.delivery.writer as Role,
      's3:PutObjectRetention',
      archive.bucket.arnForObjects('data/*'),
    ]),
  },
  'no role but those of baselines and erasures may write facts/, none but the keeper config/, the sealer log/, the check checked/':
    {
      broken: breaking(
        ({ role, action, resource }) =>
          /^s3:Put/.test(action) &&
          !LOCKER.test(role) &&
          (
            [
              ['facts/', /^Audit(RolesBaseline|PersonsRolesEraser)$/],
              ['config/', KEEPER],
              ['log/', SEALER],
              ['checked/', /^AuditJournalCheckRole$/],
            ] as const
          ).some(([place, writer]) => !writer.test(role) && reaches(resource, `${ARCHIVE}/${place}`)),
      ),
      plant: allows(({ roles, archive }) => [roles.operator, 's3:PutObject', archive.bucket.arnForObjects('facts/*')]),
    },
  'no role but the operator, who erases, who copies, the one that wrote it, and those of the journal may read refused/':
    {
      broken: breaking(
        allow =>
          reads(allow) &&
          [`${ARCHIVE}/refused/`, `${REFUSED}/`].some(place => reaches(allow.resource, place)) &&
          !OPERATOR.test(allow.role) &&
          !ERASER.test(allow.role) &&
          !([BASELINE, RESTORER].some(role => role.test(allow.role)) && allow.resource.startsWith(ARCHIVE)) &&
          !WRITER.test(allow.role) &&
          !JOURNAL.test(allow.role),
      ),
      plant: allows(({ roles, archive }) => [roles.queryUser, 's3:GetObject', archive.bucket.arnForObjects('*')]),
    },
  'none but who asks, copies, checks or keeps the journal may read log/, and none but the auditor old versions': {
    broken: breaking(
      allow =>
        (allow.action === 's3:GetObjectVersion' && allow.role !== 'AuditRolesAuditor') ||
        (reads(allow) &&
          reaches(allow.resource, `${ARCHIVE}/log/`) &&
          ![ASKS, COPIES, OPERATOR, JOURNAL].some(may => may.test(allow.role))),
    ),
    plant: allows(({ roles, archive }) => [
      roles.queryUser,
      's3:GetObjectVersion',
      archive.bucket.arnForObjects('data/*'),
    ]),
  },
  'no role changes anything but what is listed for it': {
    broken: breaking(({ role, action, resource }) => {
      if (LOOKS.test(action)) return false
      const table = /^AuditTables(Orders|Sessions|Returns)/.exec(role)?.[1] ?? 'no table'
      return !CHANGES.some(([change, who, of]) => change === action && who.test(role) && of(table).test(resource))
    }),
    plant: allows(({ tables, archive }) => [
      tables[0]?.delivery.writer as Role,
      's3:PutObject',
      archive.bucket.arnForObjects('data/Sessions/*'),
    ]),
  },
  'no role of a table reads the rows of another': {
    broken: breaking(allow => {
      const table = /^AuditTables(Orders|Sessions|Returns)/.exec(allow.role)?.[1]
      const others = Object.keys(TABLES).filter(other => table !== undefined && other !== table)
      const places = others.flatMap(other => [`${ARCHIVE}/data/${other}/`, `${DERIVED}/derived/${other}/`])
      return reads(allow) && places.some(place => reaches(allow.resource, place))
    }),
    plant: allows(({ tables, archive }) => [
      tables[1]?.delivery.writer as Role,
      's3:GetObject',
      archive.bucket.arnForObjects('data/Orders/*'),
    ]),
  },
  'a role that may do something to everything only looks': {
    broken: breaking(({ action, resource }) => resource === '*' && !LOOKS.test(action)),
    plant: allows(({ roles }) => [roles.operator, 'firehose:PutRecordBatch', '*']),
  },
  'the key is used by way of a service and for nothing but data': {
    broken: breaking(
      ({ action, resource, statement }) =>
        /^kms:/.test(action) &&
        !LOOKS.test(action) &&
        !SECRETS.test(resource) &&
        statement.Condition?.StringEquals?.['kms:ViaService'] === undefined,
    ),
    plant: allows(({ roles }) => [roles.queryUser, 'kms:Decrypt', '*']),
  },
  'every statement says its actions one by one': {
    broken: resources =>
      statementsIn(resources)
        .filter(([, statement]) => statement.Effect === 'Allow')
        .filter(
          ([, statement]) =>
            'NotAction' in statement || 'NotResource' in statement || actionsOf(statement).join().includes('*'),
        )
        .map(([path]) => path)
        // the account administers its keys through IAM, as AWS asks for; data keys have three names
        .filter(path => !/^\/Audit(Journal|PersonsKeys)?Key.*\/Properties\/KeyPolicy\//.test(path)),
    plant: allows(({ roles, archive }) => [roles.auditor, 's3:Get*', archive.bucket.bucketArn]),
  },
  'roles of people are for the account, and of services for their service': {
    broken: resources =>
      [...trustOf(resources)]
        .filter(([role, trust]) => {
          const people = PEOPLE.test(role)
          const service = WRITER.test(role) ? /"firehose\.amazonaws\.com"/ : /"lambda\.amazonaws\.com"/
          return trust.length !== 1 || !(people ? /:root/ : service).test(JSON.stringify(trust[0]?.Principal))
        })
        .map(([role]) => role),
    plant: archive => void new Role(archive, 'Stranger', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }),
  },
  'every bucket denies what is not TLS 1.2': {
    broken: resources =>
      Object.entries(resources)
        .filter(([, { Type }]) => Type === 'AWS::S3::Bucket')
        .map(([id]) => named(id))
        .filter(bucket => {
          const denied = (bucketPolicies(resources).get(bucket) ?? []).filter(({ Effect }) => Effect === 'Deny')
          return !(
            denied.some(({ Condition }) => Condition?.Bool?.['aws:SecureTransport'] === 'false') &&
            denied.some(({ Condition }) => Condition?.NumericLessThan?.['s3:TlsVersion'] === 1.2)
          )
        }),
    plant: (_, stack) => void new Bucket(stack, 'Open'),
  },
}

describe.each(Object.entries(ARCHIVES))('in an archive that is %s', (_, resources) => {
  it.each(Object.entries(LAWS))('%s', (_, { broken }) => {
    expect(broken(resources)).toEqual([])
  })
})

describe('a fault that somebody plants is seen:', () => {
  it.each(Object.entries(LAWS))('%s', (_, { broken, plant }) => {
    expect(broken(templateOf({ compact: true }, plant))).not.toEqual([])
  })
})

const policyOf = (resources: Resources, bucket = 'AuditArchiveBucket') => bucketPolicies(resources).get(bucket) ?? []
const writersOf = (resources: Resources, object: string) =>
  [...rolesOf(resources).keys()].filter(role => may(resources, role, 's3:PutObject', object))

describe.each(Object.entries(ARCHIVES))('the policy of an archive that is %s', (name, resources) => {
  const locked = name !== 'not locked'

  it("lets only Firehose's roles write data, each its own table's", () => {
    const writers = (key: string) => writersOf(resources, `${ARCHIVE}/${key}`)
    expect(writers('data/Orders/event_date=2026-11-22/x.parquet')).toEqual(['AuditTablesOrdersDeliveryWriter'])
    expect(writers('data/Sessions/event_date=2026-11-22/x.parquet')).toEqual([
      'AuditTablesSessionsDeliveryWriter',
      'AuditTablesSessionsReplayWriter',
    ])
    expect(writers('data/Other/event_date=2026-11-22/x.parquet')).toEqual([])
    expect(writers('refused/processing-failed/Orders/x')).toEqual(['AuditTablesOrdersDeliveryWriter'])
    expect(writers('facts/Orders/x.json')).toEqual([
      'AuditRolesBaseline',
      ...(name === 'erasable' ? ['AuditPersonsRolesEraser'] : []),
    ])
    expect(writers('config/Orders/x.json')).toEqual(['AuditConfigurationsFunctionRole'])
    expect(writers('log/x')).toEqual(name === 'sealed' ? ['AuditJournalSealerRole'] : [])
  })

  it("denies writing data to all but Firehose's roles", () => {
    const statement = policyOf(resources).find(({ Sid }) => Sid === 'DenyWriting') as Statement
    expect(statement).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:PutObject' })
    expect(resourcesOf(statement)).toEqual([`${ARCHIVE}/data/*`])
    const writers = [...rolesOf(resources).keys()].filter(role => WRITER.test(role))
    expect([...sparedBy(statement)].sort()).toEqual(writers.sort())
  })

  it.runIf(locked)('denies everyone to delete versions, to add delete markers and to bypass governance', () => {
    const statement = policyOf(resources).find(({ Sid }) => Sid === 'DenyDestruction') as Statement
    expect(statement).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' } })
    expect(statement.Condition).toBeUndefined()
    expect(actionsOf(statement)).toEqual(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention'])
    expect(resourcesOf(statement)).toEqual([`${ARCHIVE}/*`])
  })

  it.runIf(locked)('denies everyone but the locker and the keeper to set retention', () => {
    const statements = policyOf(resources).filter(statement => actionsOf(statement).includes('s3:PutObjectRetention'))
    expect(statements).toHaveLength(1)
    const lockers = [...rolesOf(resources).keys()].filter(role => LOCKER.test(role) || KEEPER.test(role))
    const spared = name === 'locked by its bucket' ? [] : lockers
    expect(lockers).toHaveLength(name === 'locked by its bucket' ? 1 : 2)
    expect(statements.flatMap(sparedBy).sort()).toEqual(spared.sort())
  })
})

describe('an archive that is compacted', () => {
  it("lets only a table's own function write what is made from it", () => {
    const denied = policyOf(ARCHIVES.compacted, 'AuditDerivedBucket').filter(statement =>
      actionsOf(statement).includes('s3:PutObject'),
    )
    expect(denied.flatMap(resourcesOf)).toEqual([`${DERIVED}/derived/*`])
    for (const table of Object.keys(TABLES)) {
      const own = `AuditTables${table}CompactionFunctionRole`
      expect(writersOf(ARCHIVES.compacted, `${DERIVED}/derived/${table}/manifest.json`)).toEqual([own])
    }
  })

  it('is one role more a table', () => {
    const before = rolesOf(ARCHIVES['locked after delivery'])
    const added = [...rolesOf(ARCHIVES.compacted).keys()].filter(role => !before.has(role))
    expect(added).toEqual(Object.keys(TABLES).map(table => `AuditTables${table}CompactionFunctionRole`))
  })
})

describe('answers', () => {
  const readers = (prefix: string) =>
    [...rolesOf(ARCHIVES.compacted).keys()].filter(role =>
      may(ARCHIVES.compacted, role, 's3:GetObject', `${RESULTS}/${prefix}/x.csv`),
    )

  it("are read and written by those whose they are: people's, auditors', and what is compacted", () => {
    const compactions = Object.keys(TABLES).map(table => `AuditTables${table}CompactionFunctionRole`)
    for (const [prefix, roles] of [
      ['people', ['AuditRolesQueryUser', 'AuditRolesOperator', 'AuditRolesBaseline']],
      ['auditors', ['AuditRolesAuditor']],
      ['compaction', compactions],
      ['elsewhere', []],
    ] as const) {
      expect(readers(prefix)).toEqual(roles)
      expect(writersOf(ARCHIVES.compacted, `${RESULTS}/${prefix}/x.csv`)).toEqual(roles)
    }
  })
})

describe('the key', () => {
  it.each(['locked after delivery', 'not locked'] as const)(
    'lets services in for this account alone, once, in an archive that is %s',
    name => {
      const [, { Properties }] = ofType(ARCHIVES[name], 'AWS::KMS::Key')[0] as [string, Resources[string]]
      const services = Properties.KeyPolicy.Statement.filter(({ Principal }: Statement) =>
        /"(events|cloudwatch)\./.test(JSON.stringify(Principal)),
      )
      const conditions = services.map(({ Principal, Condition }: Statement) => [
        (Principal as { Service: string }).Service,
        Condition,
      ])
      const own = { StringEquals: { 'aws:SourceAccount': ENVIRONMENT.account } }
      const lets = [
        ['cloudwatch.amazonaws.com', own],
        ...(name === 'not locked' ? [] : [['events.amazonaws.com', own]]),
      ]
      expect(conditions).toEqual(lets)
    },
  )
})

describe('grantQuery', () => {
  it('lets somebody do what the role for questions may, and nothing else', () => {
    const statements = rolesOf(ARCHIVES['asked by a role of somebody'])
    const what = (role: string) => {
      const allowed = (statements.get(role) ?? []).flatMap(statement =>
        resourcesOf(statement).map(on => [on, [...actionsOf(statement)].sort().join(), statement.Condition]),
      )
      return allowed.map(allow => JSON.stringify(allow)).sort()
    }
    expect(what('AuditSomebody')).toEqual(what('AuditRolesQueryUser'))
    expect(what('AuditSomebody').length).toBeGreaterThan(5)
  })

  it('reaches what is derived from the archive, too, where there is something', () => {
    const reader = rolesOf(ARCHIVES.compacted).get('AuditRolesQueryUser') ?? []
    expect(reader.flatMap(resourcesOf).filter(resource => resource.startsWith(DERIVED.slice(0, -1)))).toHaveLength(2)
  })

  it('says it where somebody cannot be given it', () => {
    const { archive } = archiveOf(TABLES)
    const grant = archive.grantQuery(new ServicePrincipal('quicksight.amazonaws.com'))
    expect(() => grant.assertSuccess()).toThrow()
  })
})
