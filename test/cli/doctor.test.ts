import { Readable } from 'node:stream'
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { SNSClient } from '@aws-sdk/client-sns'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { doctor } from '../../cli/commands/doctor.js'
import { CommandError, type Options } from '../../cli/io.js'
import { checkConfiguration, type TableDeployment } from '../../config/configuration.js'
import { parseStatements } from '../../doctor/bucket-policy.js'
import { judgeArchive } from '../../doctor/checks.js'
import type {
  BucketFacts,
  CapturedFacts,
  DeployedFact,
  Facts,
  JournalFacts,
  KeyFacts,
} from '../../doctor/deployed-facts.js'
import type { DoctorFinding } from '../../doctor/judgement.js'
import { readDeployment } from '../../doctor/read-facts.js'
import { readTrailSettings } from '../../doctor/trail-checks.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'
import { fileOf } from './command-line.js'

const STREAM = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000'
const KINESIS = 'arn:aws:kinesis:us-east-1:123456789012:stream/itemtrail-changes'
const NESTED = 'arn:aws:cloudformation:us-east-1:123456789012:stack/Itemtrail-Queries-1A/0a1b'

const configurationOf = (table: object = {}, lock: object = { mode: 'governance', days: 30 }) =>
  checkConfiguration(
    { lock, tables: { Orders: { since: '2026-01-01', keys: ['order_id'], columns: { status: 'string' }, ...table } } },
    'test',
  )

const found = <T>(value: T): DeployedFact<T> => ({ kind: 'found', value })
const unknown = { kind: 'unknown', why: 'AccessDenied: not yours' } as const

const NEVER = { expires: false, expiresVersions: false, days: undefined, versionDays: undefined } as const

const bucketOf = (fields: Partial<BucketFacts> = {}): DeployedFact<BucketFacts> =>
  found({
    name: 'archive',
    versioning: found('Enabled'),
    lock: found({ isEnabled: true, retention: undefined }),
    openTo: found([]),
    encryption: found('aws:kms'),
    lifecycle: found([
      { id: 'cheaper', prefix: '', classes: ['STANDARD_IA', 'GLACIER_IR'], ...NEVER },
      {
        id: 'refused',
        prefix: 'refused/',
        classes: [],
        expires: true,
        expiresVersions: true,
        days: 365,
        versionDays: 1,
      },
    ]),
    policy: found(parseStatements(JSON.stringify(BUCKET_POLICY))),
    ...fields,
  })

const everybody = { AWS: '*' }
const except = (role: string) => ({ ArnNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::123456789012:role/${role}` } })

/** What the stack makes of an archive's bucket that is locked and sealed. */
const BUCKET_POLICY = {
  Statement: [
    {
      Effect: 'Deny',
      Principal: everybody,
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::archive/data/*',
      Condition: except('Writer'),
    },
    ...['config', 'facts'].map(place => ({
      Effect: 'Deny',
      Principal: everybody,
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::archive/${place}/*`,
      Condition: except('Keeper'),
    })),
    {
      Effect: 'Deny',
      Principal: '*',
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention'],
      Resource: 'arn:aws:s3:::archive/*',
    },
    {
      Effect: 'Deny',
      Principal: everybody,
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::archive/log/*',
      Condition: except('Sealer-1'),
    },
    {
      Effect: 'Deny',
      Principal: everybody,
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      Resource: 'arn:aws:s3:::archive/log/*',
    },
    {
      Effect: 'Deny',
      Principal: everybody,
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::archive/checked/*',
      Condition: except('Check'),
    },
  ],
}

/** What the stack makes of the key that signs. */
const SEAL_POLICY = {
  Statement: [
    { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::123456789012:root' }, Action: 'kms:*', Resource: '*' },
    { Effect: 'Deny', Principal: everybody, Action: 'kms:Sign', Resource: '*', Condition: except('Sealer-1') },
  ],
}

const keyOf = (fields: Partial<KeyFacts> = {}, policy: object = SEAL_POLICY): DeployedFact<KeyFacts> =>
  found({
    id: 'key',
    account: '123456789012',
    state: 'Enabled',
    spec: 'ECC_NIST_EDWARDS25519',
    policy: found(parseStatements(JSON.stringify(policy))),
    signingGrants: found([]),
    ...fields,
  })

/** A stack that keeps a journal. */
const sealedFacts = (key = keyOf(), fields: Partial<JournalFacts> = {}, more: Partial<Facts> = {}): Facts =>
  factsOf({
    stack: {
      ...factsOf().stack,
      resources: [
        mappingResource,
        { type: 'AWS::IAM::Role', logicalId: 'AuditJournalSealerRole0A1B2C3D', physicalId: 'Sealer-1' },
      ],
    },
    journal: {
      key,
      found: found({
        vkey: 'origin+0a1b2c3d+AQ==',
        sealedAgoMs: 3_600_000,
        strangeUse: found(undefined),
        rewritten: [],
        ...fields,
      }),
    },
    ...more,
  })

const tableOf = (fields: object = {}, destinations: CapturedFacts['destinations'] = found([])): CapturedFacts => ({
  table: found({
    status: 'ACTIVE',
    keys: ['order_id'],
    viewType: 'NEW_AND_OLD_IMAGES',
    streamArn: STREAM,
    ...fields,
  }),
  destinations,
  compared: found(undefined),
})

const mappingResource = { type: 'AWS::Lambda::EventSourceMapping', logicalId: 'Stream', physicalId: 'uuid' }
const kinesisResource = { type: 'AWS::Kinesis::Stream', logicalId: 'Changes', physicalId: 'itemtrail-changes' }

const factsOf = (fields: Partial<Facts> = {}, captured = tableOf()): Facts => ({
  stack: {
    name: 'Itemtrail',
    arn: 'arn:aws:cloudformation:us-east-1:123456789012:stack/Itemtrail/id',
    status: 'UPDATE_COMPLETE',
    isProtected: true,
    tags: new Map([['application', 'itemtrail']]),
    outputs: new Map(),
    resources: [mappingResource],
  },
  drift: [
    {
      stack: 'Itemtrail',
      found: found({ stack: 'Itemtrail', status: 'IN_SYNC', drifted: [], mappings: [STREAM], kept: [], trails: [] }),
    },
  ],
  archive: bucketOf(),
  refused: bucketOf({ name: 'refused' }),
  locks: found([{ key: 'data/Orders/event_date=2026-11-22/a.parquet', mode: 'GOVERNANCE' }]),
  archiveKey: keyOf({ spec: 'SYMMETRIC_DEFAULT' }),
  journal: undefined,
  canary: undefined,
  callers: undefined,
  alarmTopic: found({ confirmed: 1, pending: 0 }),
  persons: undefined,
  tables: new Map([['Orders', captured]]),
  ...fields,
})

/** What is not ok, as `check: verdict`. */
const troubles = (facts: Facts, configuration = configurationOf()) =>
  judgeArchive(facts, configuration)
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ check, verdict }) => `${check}: ${verdict}`)

const findingOf = (facts: Facts, check: string, configuration = configurationOf()) =>
  judgeArchive(facts, configuration).find(finding => finding.check === check) as DoctorFinding

describe('an archive as promised', () => {
  it('has nothing wrong, captured either way', () => {
    expect(troubles(factsOf())).toEqual([])
    const kinesis = factsOf(
      {
        stack: { ...factsOf().stack, resources: [kinesisResource] },
        drift: [
          {
            stack: 'I',
            found: found({ stack: 'I', status: 'IN_SYNC', drifted: [], mappings: [], kept: [], trails: [] }),
          },
        ],
      },
      tableOf(
        { viewType: undefined, streamArn: undefined },
        found([{ streamArn: KINESIS, status: 'ACTIVE', precision: 'MICROSECOND' }]),
      ),
    )
    expect(troubles(kinesis, configurationOf({ capture: 'kinesis' }))).toEqual([])
  })

  it('says for each check what was found, what is promised and, where it is not ok, what to do', () => {
    for (const { verdict, found: text, promised, todo } of judgeArchive(factsOf(), configurationOf())) {
      expect([text, promised].every(part => part.length > 0)).toBe(true)
      expect(todo === null).toBe(verdict === 'ok')
    }
  })
})

describe('who hears of alarms', () => {
  const told = (confirmed: number, pending: number) => factsOf({ alarmTopic: found({ confirmed, pending }) })
  const mailed = { ...configurationOf(), notify: ['oncall@example.com'] }

  it('is somebody who confirmed it, where the configuration names somebody', () => {
    expect(findingOf(told(1, 0), 'who hears', mailed)).toMatchObject({ verdict: 'ok', found: '1 confirmed' })
    expect(findingOf(told(0, 1), 'who hears', mailed)).toMatchObject({
      verdict: 'wrong',
      found: '0 confirmed, 1 not confirmed',
      todo: expect.stringContaining('mail'),
    })
    expect(findingOf(told(1, 1), 'who hears', mailed)).toMatchObject({ verdict: 'note' })
  })

  it('is noted where it is nobody, and left to others where the topic is theirs', () => {
    expect(findingOf(told(0, 0), 'who hears')).toMatchObject({ verdict: 'note', found: 'nobody' })
    expect(findingOf(factsOf({ alarmTopic: undefined }), 'who hears')).toBeUndefined()
  })
})

describe('what looks personal', () => {
  const clear = { columns: { Email: 'string', status: 'string' }, keys: ['phone'], actor: 'user_name' }

  it('is noted where it is clear, and nothing is wrong for it', () => {
    const facts = factsOf({}, tableOf({ keys: ['phone'] }))
    expect(troubles(facts, configurationOf(clear))).toEqual(['personal values: note'])
    expect(findingOf(facts, 'personal values', configurationOf(clear))).toMatchObject({
      found: 'in clear by their names: phone, Email, user_name',
      todo: expect.stringContaining('docs/erasure.md'),
    })
  })

  it('is not told of where it is erasable, or a token', () => {
    const orders = {
      since: '2026-01-01',
      keys: ['phone'],
      keyIsPersonal: ['phone'],
      columns: { Email: 'json' },
      erasable: [{ subject: 'phone', attributes: ['Email'] }],
    }
    const lock = { mode: 'governance', days: 30 }
    const sealed = checkConfiguration({ lock, erasure: { keys: 'keys' }, tables: { Orders: orders } }, 'test')
    expect(troubles(factsOf({}, tableOf({ keys: ['phone'] })), sealed)).toEqual([])
  })
})

describe('what is wrong', () => {
  it.each([
    [
      'a table that is not there',
      factsOf({}, { ...tableOf(), table: found(undefined) }),
      ['table', 'keys', 'stream', 'view type', 'stream that is read'],
    ],
    ['other keys', factsOf({}, tableOf({ keys: ['id'] })), ['keys']],
    [
      'a stream that is off',
      factsOf({}, tableOf({ viewType: undefined, streamArn: undefined })),
      ['stream', 'view type', 'stream that is read'],
    ],
    ['a view without images', factsOf({}, tableOf({ viewType: 'NEW_IMAGE' })), ['view type']],
    [
      'a stream that was made anew',
      factsOf({}, tableOf({ streamArn: STREAM.replace('2026-01', '2026-11') })),
      ['stream that is read'],
    ],
    ['a bucket without versions', factsOf({ archive: bucketOf({ versioning: found('Suspended') }) }), ['versioning']],
    ['an open bucket', factsOf({ refused: bucketOf({ openTo: found(['BlockPublicAcls']) }) }), ['public access block']],
    ['another encryption', factsOf({ archive: bucketOf({ encryption: found('AES256') }) }), ['encryption']],
    [
      'a bucket without lock',
      factsOf({ archive: bucketOf({ lock: found({ isEnabled: false, retention: undefined }) }) }),
      ['object lock'],
    ],
    ['a rollback', factsOf({ stack: { ...factsOf().stack, status: 'UPDATE_ROLLBACK_COMPLETE' } }), ['deployment']],
    ['no protection', factsOf({ stack: { ...factsOf().stack, isProtected: false } }), ['termination protection']],
  ])('is %s', (_, facts, checks) => {
    expect(troubles(facts)).toEqual(checks.map(check => `${check}: wrong`))
  })

  it('is the configured stream, where another is the latest', () => {
    const streamArn = STREAM.replace('2026-01', '2025-01')
    expect(findingOf(factsOf(), 'stream that is read', configurationOf({ streamArn }))).toMatchObject({
      verdict: 'wrong',
      found: STREAM,
      promised: streamArn,
    })
  })

  it('is a lock that is not the one of the configuration', () => {
    const lock = (retention: { mode: string; days: number } | undefined) =>
      factsOf({ archive: bucketOf({ lock: found({ isEnabled: true, retention }) }) })
    const byBucket = configurationOf({}, { mode: 'governance', days: 30, by: 'bucket' })
    expect(troubles(lock({ mode: 'GOVERNANCE', days: 30 }), byBucket)).toEqual([])
    expect(troubles(lock({ mode: 'GOVERNANCE', days: 29 }), byBucket)).toEqual(['object lock: wrong'])
    expect(troubles(lock({ mode: 'COMPLIANCE', days: 30 }), byBucket)).toEqual(['object lock: wrong'])
    expect(troubles(lock(undefined), byBucket)).toEqual(['object lock: wrong'])
    expect(troubles(lock({ mode: 'GOVERNANCE', days: 30 }))).toEqual(['object lock: wrong'])
    expect(troubles(lock(undefined), configurationOf({}, { mode: 'none' }))).toEqual(['object lock: wrong'])
  })

  it('is a lifecycle that hides or removes what is archived', () => {
    const rule = { id: 'r', prefix: 'data/', classes: [], ...NEVER }
    const lifecycle = (fields: object) =>
      troubles(factsOf({ archive: bucketOf({ lifecycle: found([{ ...rule, ...fields }]) }) }))
    expect(lifecycle({ classes: ['STANDARD_IA', 'DEEP_ARCHIVE'] })).toEqual(['storage classes: wrong'])
    expect(lifecycle({ expires: true })).toEqual(['expiration: wrong'])
    expect(lifecycle({ prefix: '', expiresVersions: true })).toEqual(['expiration: wrong'])
    expect(lifecycle({ prefix: 'refused/old/', expires: true })).toEqual([])
  })

  it('is drift, with what differs', () => {
    const drifted = [{ logicalId: 'L', type: 'AWS::Glue::Table', status: 'MODIFIED', properties: ['/TableInput'] }]
    const drift = [
      ...factsOf().drift,
      {
        stack: NESTED,
        found: found({ stack: NESTED, status: 'DRIFTED', drifted, mappings: [], kept: [], trails: [] }),
      },
    ]
    const finding = judgeArchive(factsOf({ drift }), configurationOf()).find(({ verdict }) => verdict === 'wrong')
    expect(finding).toMatchObject({
      subject: 'stack Itemtrail-Queries-1A',
      found: 'AWS::Glue::Table L is MODIFIED: /TableInput',
    })
  })

  it('is both captures at once, but not what others do with the table', () => {
    const destinations = found([{ streamArn: KINESIS, status: 'ACTIVE', precision: undefined }])
    const both = { ...factsOf().stack, resources: [mappingResource, kinesisResource] }
    expect(troubles(factsOf({ stack: both }, tableOf({}, destinations)))).toEqual(['one capture: wrong'])
    expect(troubles(factsOf({}, tableOf({}, destinations)))).toEqual([])
    expect(findingOf(factsOf({}, tableOf({}, destinations)), 'one capture').found).toContain('is not of this stack')
    expect(
      troubles(factsOf({ stack: both }, tableOf({}, destinations)), configurationOf({ capture: 'kinesis' })),
    ).toEqual(['precision: wrong', 'one capture: wrong'])
  })

  it('is a Kinesis destination that is off or into another stream', () => {
    const kinesis = configurationOf({ capture: 'kinesis' })
    const stack = { ...factsOf().stack, resources: [kinesisResource] }
    const drift = [
      { stack: 'I', found: found({ stack: 'I', status: 'IN_SYNC', drifted: [], mappings: [], kept: [], trails: [] }) },
    ]
    const one = (fields: object) =>
      troubles(
        factsOf(
          { stack, drift },
          tableOf({}, found([{ streamArn: KINESIS, status: 'ACTIVE', precision: 'MICROSECOND', ...fields }])),
        ),
        kinesis,
      )
    expect(one({ status: 'DISABLED' })).toEqual(['kinesis destination: wrong'])
    expect(one({ precision: 'MILLISECOND' })).toEqual(['precision: wrong'])
    expect(one({ streamArn: `${KINESIS}-other` })).toEqual(['kinesis destination: wrong', 'precision: wrong'])
  })
})

describe('what kills an archive', () => {
  const archivePolicy = (spoil: (statements: (typeof BUCKET_POLICY)['Statement']) => void) => {
    const policy = structuredClone(BUCKET_POLICY)
    spoil(policy.Statement)
    return bucketOf({ policy: found(parseStatements(JSON.stringify(policy))) })
  }

  it.each([
    ['a key that waits for its deletion', { archiveKey: keyOf({ state: 'PendingDeletion' }) }, ['key state']],
    [
      'a key that lets another account in',
      {
        archiveKey: keyOf({}, { Statement: { Effect: 'Allow', Principal: { AWS: '444455556666' }, Action: 'kms:*' } }),
      },
      ['key policy'],
    ],
    [
      'a key that lets everybody in',
      { archiveKey: keyOf({}, { Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt' } }) },
      ['key policy'],
    ],
    ['a bucket without its policy', { archive: bucketOf({ policy: found([]) }) }, ['bucket policy']],
    [
      'a policy that lets somebody delete',
      { archive: archivePolicy(([, denial]) => Object.assign(denial as object, { Action: ['s3:DeleteObject'] })) },
      ['bucket policy'],
    ],
    [
      'a policy under a condition',
      {
        archive: archivePolicy(([, denial]) => Object.assign(denial as object, { Condition: { Bool: { x: 'true' } } })),
      },
      ['bucket policy'],
    ],
    [
      'an object that is not locked',
      { locks: found([{ key: 'facts/Orders/a.json', mode: undefined }]) },
      ['locks of objects'],
    ],
  ])('is %s', (_, fields, checks) => {
    expect(troubles(factsOf(fields))).toEqual(checks.map(check => `${check}: wrong`))
  })

  it('is no lock that is stricter than promised', () => {
    expect(troubles(factsOf({ locks: found([{ key: 'data/x', mode: 'COMPLIANCE' }]) }))).toEqual([])
  })
})

describe('a nightly comparison', () => {
  const asked = () => {
    const configuration = configurationOf()
    const [[name, deployment]] = [...configuration.deployments] as [[string, TableDeployment]]
    return { ...configuration, deployments: new Map([[name, { ...deployment, reconcile: true }]]) }
  }
  const compared = (age: DeployedFact<number | undefined>) => factsOf({}, { ...tableOf(), compared: age })

  it('is asked for where the table is to be compared, and is to be of the last night', () => {
    expect(troubles(compared(found(undefined)))).toEqual([])
    expect(troubles(compared(found(30 * 3_600_000)), asked())).toEqual([])
    expect(troubles(compared(found(43 * 3_600_000)), asked())).toEqual(['nightly comparison: wrong'])
    expect(troubles(compared(found(undefined)), asked())).toEqual(['nightly comparison: wrong'])
    expect(troubles(compared({ kind: 'unknown', why: 'AccessDenied' }), asked())).toEqual([
      'nightly comparison: unchecked',
    ])
  })
})

describe('a canary', () => {
  it('is alive as long as something of it arrives', () => {
    expect(troubles(factsOf({ canary: found(2_400_000) }))).toEqual([])
    expect(findingOf(factsOf({ canary: found(2_460_000) }), 'canary')).toMatchObject({
      verdict: 'wrong',
      found: 'its newest object is 41 minutes old',
    })
    expect(troubles(factsOf({ canary: found(undefined) }))).toEqual(['canary: wrong'])
    expect(troubles(factsOf({ canary: { kind: 'unknown', why: 'AccessDenied' } }))).toEqual(['canary: unchecked'])
  })

  it('is missed where the configuration asks for one', () => {
    expect(troubles(factsOf(), { ...configurationOf(), canary: true })).toEqual(['canary: wrong'])
  })
})

describe('the trail of callers', () => {
  const HOUR = 3_600_000
  /** As the stack deploys it, spoilt. */
  const trail = (spoil: (properties: Record<string, unknown>, selectors: object[]) => void = () => {}) => {
    const selectors = [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::DynamoDB::Table'] },
      { Field: 'readOnly', Equals: ['false'] },
      { Field: 'resources.ARN', Equals: ['arn:aws:dynamodb:us-east-1:123456789012:table/Orders'] },
    ]
    const properties = { IsLogging: true, AdvancedEventSelectors: [{ Name: 'writes', FieldSelectors: selectors }] }
    spoil(properties, selectors)
    return readTrailSettings(properties)
  }
  const facts = (settings = trail(), callers: Facts['callers'] = found(HOUR)) => {
    const drift = factsOf().drift.map(({ stack, found: it }) => ({
      stack,
      found: it.kind === 'found' ? found({ ...it.value, trails: [settings] }) : it,
    }))
    return factsOf({ drift, callers })
  }

  it('logs every write of the captured tables and delivers each hour, also where nobody called', () => {
    expect(troubles(facts())).toEqual([])
    expect(
      judgeArchive(facts(), configurationOf()).filter(({ subject }) => subject === 'the trail of callers'),
    ).toHaveLength(3)
  })

  it.each([
    ['it was stopped', facts(trail(properties => Object.assign(properties, { IsLogging: false }))), 'logging: wrong'],
    [
      'a table is selected no more',
      facts(trail((_, [, , , arns]) => Object.assign(arns as object, { Equals: ['arn:aws:x:table/Orders2'] }))),
      'writes that are logged: wrong',
    ],
    [
      'its selector leaves some calls out',
      facts(trail((_, selectors) => void selectors.push({ Field: 'eventName', Equals: ['PutItem'] }))),
      'writes that are logged: wrong',
    ],
    [
      'it has no selectors',
      facts(trail(properties => void delete properties.AdvancedEventSelectors)),
      'writes that are logged: wrong',
    ],
    ['nothing was delivered for hours', facts(trail(), found(4 * HOUR)), 'delivery: wrong'],
    ['nothing was delivered for days', facts(trail(), found(undefined)), 'delivery: wrong'],
    ['its bucket cannot be listed', facts(trail(), unknown), 'delivery: unchecked'],
  ])('is told of where %s', (_, spoilt, trouble) => {
    expect(troubles(spoilt)).toEqual([trouble])
  })

  it('could not be looked at where drift detection did not, and is missed where it is configured', () => {
    expect(troubles(factsOf({ callers: found(HOUR) }))).toEqual([
      'logging: unchecked',
      'writes that are logged: unchecked',
    ])
    expect(troubles(factsOf(), { ...configurationOf(), callers: { days: 365 } })).toEqual(['trail: wrong'])
  })
})

describe('a journal', () => {
  it('is as promised, and shows the key that it is verified by', () => {
    expect(troubles(sealedFacts())).toEqual([])
    expect(findingOf(sealedFacts(), 'verification key').found).toBe('origin+0a1b2c3d+AQ==')
  })

  it.each([
    ['of another kind of key', keyOf({ spec: 'ECC_NIST_P256' }), {}, ['kind of key']],
    ['that others may sign', keyOf({}, { Statement: SEAL_POLICY.Statement.slice(0, 1) }), {}, ['who may sign']],
    [
      'that somebody else alone may sign',
      keyOf({}, JSON.parse(JSON.stringify(SEAL_POLICY).replace('Sealer-1', 'Mallory'))),
      {},
      ['who may sign'],
    ],
    ['that a grant lets somebody sign', keyOf({ signingGrants: found(['arn:me']) }), {}, ['who may sign']],
    ['that is late', keyOf(), { sealedAgoMs: 7_300_000 }, ['sealing']],
    ['that is signed by another key', keyOf(), { sealedAgoMs: 'log/checkpoint is not believed' }, ['sealing']],
    ['that never began', keyOf(), { sealedAgoMs: undefined }, ['sealing']],
    ['whose key was used otherwise', keyOf(), { strangeUse: found('Sign at 2026') }, ['use of the key']],
    ['with a claim of two versions', keyOf(), { rewritten: ['log/next/0'] }, ['claims']],
  ])('is not one %s', (_, key, fields, checks) => {
    expect(troubles(sealedFacts(key, fields))).toEqual(checks.map(check => `${check}: wrong`))
  })

  it('is missed where the configuration asks for one', () => {
    const asked = { ...configurationOf(), seal: { mail: [] } }
    expect(troubles(factsOf(), asked)).toEqual(['journal: wrong'])
    expect(troubles(sealedFacts(), asked)).toEqual([])
  })

  it('needs a bucket that denies others to write facts and configurations', () => {
    const statements = BUCKET_POLICY.Statement.filter(({ Resource }) => !/(config|facts)/.test(Resource))
    const archive = bucketOf({ policy: found(parseStatements(JSON.stringify({ Statement: statements }))) })
    expect(findingOf(factsOf({ archive }), 'bucket policy')).toMatchObject({
      verdict: 'wrong',
      found: 'others than the stack may write under config/; others than BaselineRole may write under facts/',
    })
  })

  it('needs a bucket that denies others to write and everybody to delete in it', () => {
    const statements = BUCKET_POLICY.Statement.slice(0, 4)
    const archive = bucketOf({ policy: found(parseStatements(JSON.stringify({ Statement: statements }))) })
    expect(findingOf(sealedFacts(keyOf(), {}, { archive }), 'bucket policy')).toMatchObject({
      verdict: 'wrong',
      found:
        'others than the sealer may write under log/; somebody may delete under log/; others than the daily check may write under checked/',
    })
    expect(troubles(factsOf({ archive }))).toEqual([])
  })
})

describe('what could not be looked at', () => {
  it('is told apart from what is wrong', () => {
    const facts = factsOf(
      { drift: [{ stack: 'Itemtrail', found: unknown }], archive: unknown, refused: bucketOf({ versioning: unknown }) },
      { table: unknown, destinations: unknown, compared: unknown },
    )
    const all = troubles(facts)
    expect(all.length).toBeGreaterThan(7)
    expect(all.filter(trouble => !trouble.endsWith(': unchecked'))).toEqual([])
  })

  it('leaves the stream that is read open where drift detection did not see the mapping', () => {
    const drift = [
      { stack: 'I', found: found({ stack: 'I', status: 'IN_SYNC', drifted: [], mappings: [], kept: [], trails: [] }) },
    ]
    expect(troubles(factsOf({ drift }))).toEqual(['stream that is read: unchecked'])
  })
})

/** An account on loopback: answers by operation, which a test may change. */
class Account {
  readonly asked: string[] = []
  answers: Record<string, string | object | { readonly error: string; readonly status?: number }> = {}

  answer(name: string): string | object | undefined {
    this.asked.push(name)
    return this.answers[name]
  }
}

const outputsXml = (outputs: Record<string, string>) =>
  Object.entries(outputs)
    .map(([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`)
    .join('')

const resourcesXml = (resources: readonly (readonly [type: string, id: string])[]) =>
  `<StackResourceSummaries>${resources
    .map(
      ([type, id], i) =>
        `<member><ResourceType>${type}</ResourceType><LogicalResourceId>L${i}</LogicalResourceId><PhysicalResourceId>${id}</PhysicalResourceId></member>`,
    )
    .join('')}</StackResourceSummaries>`

const driftXml = (type: string, status: string, actual: object, difference = '') =>
  `<member><LogicalResourceId>L</LogicalResourceId><ResourceType>${type}</ResourceType><StackResourceDriftStatus>${status}</StackResourceDriftStatus><ActualProperties>${JSON.stringify(actual).replaceAll('"', '&quot;')}</ActualProperties><PropertyDifferences>${difference}</PropertyDifferences></member>`

/** What carries the table's stream, in the stack of the table. */
const MAPPING = driftXml('AWS::Lambda::EventSourceMapping', 'IN_SYNC', { EventSourceArn: STREAM })

const RECORDED = {
  DescribeStacks: `<Stacks><member><StackName>Itemtrail</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><EnableTerminationProtection>true</EnableTerminationProtection><Tags><member><Key>application</Key><Value>itemtrail</Value></member></Tags><Outputs>${outputsXml({ AuditArchiveBucketC0501D48: 'archive', AuditRefusedBucketC27D252C: 'refused' })}</Outputs></member></Stacks>`,
  'ListStackResources Itemtrail': `${resourcesXml([['AWS::S3::Bucket', 'archive']])}<NextToken>next</NextToken>`,
  'ListStackResources Itemtrail next': resourcesXml([['AWS::CloudFormation::Stack', NESTED]]),
  [`ListStackResources ${NESTED}`]: resourcesXml([['AWS::Lambda::EventSourceMapping', 'uuid']]),
  'DetectStackDrift Itemtrail': '<StackDriftDetectionId>root</StackDriftDetectionId>',
  [`DetectStackDrift ${NESTED}`]: '<StackDriftDetectionId>nested</StackDriftDetectionId>',
  'DescribeStackDriftDetectionStatus root':
    '<DetectionStatus>DETECTION_COMPLETE</DetectionStatus><StackDriftStatus>IN_SYNC</StackDriftStatus>',
  'DescribeStackDriftDetectionStatus nested':
    '<DetectionStatus>DETECTION_COMPLETE</DetectionStatus><StackDriftStatus>IN_SYNC</StackDriftStatus>',
  'DescribeStackResourceDrifts Itemtrail': '<StackResourceDrifts></StackResourceDrifts>',
  [`DescribeStackResourceDrifts ${NESTED}`]: `<StackResourceDrifts>${MAPPING}</StackResourceDrifts>`,
  DescribeTable: {
    Table: {
      TableName: 'Orders',
      TableStatus: 'ACTIVE',
      KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      LatestStreamArn: STREAM,
    },
  },
  DescribeKinesisStreamingDestination: { TableName: 'Orders', KinesisDataStreamDestinations: [] },
  policy: JSON.stringify(BUCKET_POLICY),
  'list-type': '<ListBucketResult></ListBucketResult>',
  DescribeKey: { KeyMetadata: { KeyId: 'key', AWSAccountId: '123456789012', KeyState: 'Enabled' } },
  GetKeyPolicy: { Policy: JSON.stringify(SEAL_POLICY) },
  ListGrants: { Grants: [] },
  versioning: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  'object-lock': '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>',
  publicAccessBlock:
    '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>',
  encryption:
    '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>',
  lifecycle:
    '<LifecycleConfiguration><Rule><ID>cheaper</ID><Status>Enabled</Status><Filter></Filter><Transition><Days>90</Days><StorageClass>STANDARD_IA</StorageClass></Transition></Rule><Rule><ID>refused</ID><Status>Enabled</Status><Filter><Prefix>refused/</Prefix></Filter><Expiration><Days>365</Days></Expiration></Rule></LifecycleConfiguration>',
}

let account: Account
let server: Loopback
beforeEach(async () => {
  account = new Account()
  account.answers = { ...RECORDED }
  server = await startLoopback((request, body, response) => {
    const target = request.headers['x-amz-target']
    if (typeof target === 'string') {
      const answer = account.answer(target.split('.')[1] as string) as { error?: string } | undefined
      const error = answer === undefined ? 'UnknownOperationException' : answer.error
      response.writeHead(error === undefined ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' })
      return response.end(
        JSON.stringify(error === undefined ? answer : { __type: `com.amazonaws#${error}`, message: 'on demand' }),
      )
    }
    const form = new URLSearchParams(request.method === 'POST' ? body.toString() : '')
    const action = form.get('Action')
    const query = new URL(request.url ?? '', 'http://s3').searchParams
    const name =
      action === null
        ? ([...query.keys()].find(key => key !== 'x-id') as string)
        : action === 'DescribeStacks'
          ? action
          : [action, form.get('StackName') ?? form.get('StackDriftDetectionId'), form.get('NextToken')]
              .filter(Boolean)
              .join(' ')
    const answer = account.answer(name)
    if (typeof answer === 'string') {
      const text =
        action === null ? answer : `<${action}Response><${action}Result>${answer}</${action}Result></${action}Response>`
      return response.writeHead(200, { 'content-type': 'text/xml' }).end(text)
    }
    const { error = 'ValidationError', status = 400 } = (answer ?? {}) as { error?: string; status?: number }
    const inner = `<Code>${error}</Code><Message>on demand</Message>`
    const text = action === null ? `<Error>${inner}</Error>` : `<ErrorResponse><Error>${inner}</Error></ErrorResponse>`
    return response.writeHead(status, { 'content-type': 'text/xml' }).end(text)
  })
})
afterEach(() => server.stop())

const read = (more: object = {}) => {
  const connection = { ...LOOPBACK_CONNECTION, endpoint: server.endpoint }
  const clients = {
    cloudFormation: new CloudFormationClient(connection),
    dynamoDb: new DynamoDBClient(connection),
    s3: new S3Client(connection),
    kms: new KMSClient(connection),
    sns: new SNSClient(connection),
  }
  return readDeployment(clients, 'Itemtrail', ['Orders'], { pollMs: 1, ...more })
}

describe('reading an account', () => {
  it('asks for who hears of alarms where the topic is its own', async () => {
    const TOPIC = 'arn:aws:sns:us-east-1:123456789012:Itemtrail-Alarms'
    const outputs = { AuditArchiveBucketC0501D48: 'archive', AuditAlarmTopicArn1234ABCD: TOPIC }
    account.answers = {
      ...account.answers,
      DescribeStacks: RECORDED.DescribeStacks.replace(
        /<Outputs>.*<\/Outputs>/,
        `<Outputs>${outputsXml(outputs)}</Outputs>`,
      ),
      GetTopicAttributes:
        '<Attributes><entry><key>SubscriptionsConfirmed</key><value>2</value></entry><entry><key>SubscriptionsPending</key><value>1</value></entry></Attributes>',
    }
    expect((await read()).alarmTopic).toBeUndefined()
    account.answers[`ListStackResources ${NESTED}`] = resourcesXml([['AWS::SNS::Topic', TOPIC]])
    expect((await read()).alarmTopic).toEqual(found({ confirmed: 2, pending: 1 }))
  })

  it('finds everything that the checks ask for, nested stacks and pages included', async () => {
    expect(troubles(await read())).toEqual([])
    expect(account.asked).toContain(`DetectStackDrift ${NESTED}`)
  })

  it('finds how the keys of persons are kept, where there are any', async () => {
    const outputs = outputsXml({
      AuditArchiveBucketC0501D48: 'archive',
      AuditRefusedBucketC27D252C: 'refused',
      AuditPersonsKeyTable0A1B2C3D: 'Keys',
    })
    const described = RECORDED.DescribeStacks.replace(/<Outputs>.*<\/Outputs>/, `<Outputs>${outputs}</Outputs>`)
    const key = `<member><ResourceType>AWS::KMS::Key</ResourceType><LogicalResourceId>AuditPersonsKeysKey0A1B2C3D</LogicalResourceId><PhysicalResourceId>secrets</PhysicalResourceId></member>`
    Object.assign(account.answers, {
      DescribeStacks: described,
      'ListStackResources Itemtrail next': RECORDED['ListStackResources Itemtrail next'].replace(
        '</StackResourceSummaries>',
        `${key}</StackResourceSummaries>`,
      ),
      DescribeTable: {
        Table: { ...RECORDED.DescribeTable.Table, TableArn: 'arn:keys', DeletionProtectionEnabled: true },
      },
      DescribeContinuousBackups: {
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 35 },
        },
      },
      ListBackups: { BackupSummaries: [{ BackupName: 'by-hand' }] },
      GetResourcePolicy: { error: 'PolicyNotFoundException' },
    })
    const facts = await read()
    expect(facts.persons).toMatchObject({
      isProtected: found(true),
      backupDays: found(35),
      backups: found(['by-hand']),
      policy: found([]),
      key: { kind: 'found', value: { id: 'secrets', state: 'Enabled' } },
    })
    expect(troubles(facts)).toEqual([
      'key table backup: wrong',
      'key table copies: wrong',
      'key table policy: wrong',
      'who may open keys: wrong',
      // versions of what was refused stay here for ever, and the refused bucket keeps what it has longer than a year
      'refused records in the archive: wrong',
      'what Lambda gave up: wrong',
    ])
    for (const name of ['DescribeContinuousBackups', 'ListBackups', 'GetResourcePolicy'])
      account.answers[name] = { error: 'AccessDeniedException' }
    expect(troubles(await read())).toEqual([
      'key table backup: unchecked',
      'key table copies: unchecked',
      'key table policy: unchecked',
      'who may open keys: wrong',
      'refused records in the archive: wrong',
      'what Lambda gave up: wrong',
    ])
  })

  it('waits for drift detection, and gives it up in the end', async () => {
    const nested = 'DescribeStackDriftDetectionStatus nested'
    const { [nested]: complete } = account.answers
    account.answers[nested] = '<DetectionStatus>DETECTION_IN_PROGRESS</DetectionStatus>'
    expect(troubles(await read({ patienceMs: 0 }))).toEqual(['drift: unchecked', 'stream that is read: unchecked'])
    account.asked.length = 0
    const facts = read()
    await vi.waitFor(() => expect(account.asked.filter(name => name === nested).length).toBeGreaterThan(1), 20_000)
    if (complete === undefined) delete account.answers[nested]
    else account.answers[nested] = complete
    expect(troubles(await facts)).toEqual([])
  })

  it('finds drift even where not every resource could be looked at', async () => {
    account.answers['DescribeStackDriftDetectionStatus nested'] =
      '<DetectionStatus>DETECTION_FAILED</DetectionStatus><DetectionStatusReason>no right to read</DetectionStatusReason>'
    expect(
      findingOf({ ...(await read()), drift: [(await read()).drift[1] as Facts['drift'][number]] }, 'drift'),
    ).toMatchObject({
      verdict: 'unchecked',
      found: 'DETECTION_FAILED: no right to read',
    })
    const difference = '<member><PropertyPath>/QueryString</PropertyPath></member>'
    account.answers[`DescribeStackResourceDrifts ${NESTED}`] =
      `<StackResourceDrifts>${MAPPING}${driftXml('AWS::Athena::NamedQuery', 'MODIFIED', {}, difference)}</StackResourceDrifts>`
    expect(troubles(await read())).toEqual(['drift: wrong'])
  })

  it('takes a service that says "there is none" at its word', async () => {
    Object.assign(account.answers, {
      'object-lock': { error: 'ObjectLockConfigurationNotFoundError', status: 404 },
      publicAccessBlock: { error: 'NoSuchPublicAccessBlockConfiguration', status: 404 },
      encryption: { error: 'ServerSideEncryptionConfigurationNotFoundError', status: 404 },
      lifecycle: { error: 'NoSuchLifecycleConfiguration', status: 404 },
      versioning: '<VersioningConfiguration/>',
      DescribeTable: { error: 'ResourceNotFoundException' },
      DescribeKinesisStreamingDestination: { error: 'ResourceNotFoundException' },
    })
    const wrong = troubles(await read())
    expect(wrong.every(trouble => trouble.endsWith(': wrong'))).toBe(true)
    expect(wrong).toEqual(
      expect.arrayContaining(['versioning: wrong', 'object lock: wrong', 'public access block: wrong', 'table: wrong']),
    )
  })

  it('keeps what it may not read apart', async () => {
    for (const name of [
      'versioning',
      'object-lock',
      'publicAccessBlock',
      'encryption',
      'lifecycle',
      'policy',
      'list-type',
    ])
      account.answers[name] = { error: 'AccessDenied', status: 403 }
    account.answers.DescribeTable = { error: 'AccessDeniedException' }
    const facts = troubles(await read())
    expect(facts.length).toBeGreaterThan(7)
    expect(facts.every(trouble => trouble.endsWith(': unchecked'))).toBe(true)
  })
})

describe('itemtrail doctor', () => {
  const CONFIGURATION = {
    lock: { mode: 'governance', days: 30 },
    tables: { Orders: { since: '2026-01-01', keys: ['order_id'], columns: { status: 'string' } } },
  }

  async function runDoctor(options: Options) {
    let [out, err] = ['', '']
    const io = {
      out: (text: string) => {
        out += text
      },
      err: (text: string) => {
        err += text
      },
      stdin: Readable.from([]),
      columns: undefined,
      errIsTerminal: false,
      colour: false,
    }
    const exit = await doctor.run([], { format: 'table', ...options }, io)
    return { exit, out, err }
  }

  const options = (more: Options = {}): Options => ({
    stack: 'Itemtrail',
    config: fileOf('itemtrail.config.json', JSON.stringify(CONFIGURATION)),
    ...more,
  })

  beforeEach(() => {
    for (const service of ['CLOUDFORMATION', 'DYNAMODB', 'S3', 'KMS'])
      vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, server.endpoint)
    vi.stubEnv('AWS_REGION', 'us-east-1')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'loopback')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'loopback')
  })
  afterEach(() => vi.unstubAllEnvs())

  it('ends with 0 where everything is as promised', async () => {
    const { exit, out, err } = await runDoctor(options())
    expect(out).toContain('ok               table Orders: stream that is read: ')
    expect(out).not.toMatch(/WRONG|could not check/)
    expect(err).toContain('0 wrong, 0 could not be checked')
    expect(exit).toBe(0)
  })

  it('ends with 1 and says what to do where something is wrong', async () => {
    account.answers.versioning = '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>'
    const { exit, out } = await runDoctor(options())
    expect(out).toContain('WRONG            archive bucket archive: versioning: Suspended, promised is Enabled\n')
    expect(out).toContain('aws s3api put-bucket-versioning')
    expect(exit).toBe(1)
  })

  it('ends with 3 where something could not be checked', async () => {
    account.answers.lifecycle = { error: 'AccessDenied', status: 403 }
    const { exit, out } = await runDoctor(options({ format: 'json' }))
    expect(exit).toBe(3)
    const findings = JSON.parse(out) as DoctorFinding[]
    expect(findings.filter(({ verdict }) => verdict === 'unchecked')).toEqual([
      {
        subject: 'archive bucket archive',
        check: 'storage classes',
        verdict: 'unchecked',
        found: expect.stringContaining('AccessDenied'),
        promised: expect.any(String),
        todo: expect.any(String),
      },
      expect.objectContaining({ check: 'expiration' }),
    ])
  })

  it('ends with 3 where there is no such stack', async () => {
    account.answers.DescribeStacks = { error: 'ValidationError' }
    await expect(runDoctor(options())).rejects.toMatchObject({
      exit: 3,
      message: expect.stringContaining('"Itemtrail"'),
    })
  })

  it('wants a stack and a configuration', async () => {
    await expect(runDoctor({})).rejects.toThrow(CommandError)
    await expect(runDoctor({ stack: 'Itemtrail' })).rejects.toThrow('no configuration')
  })
})
