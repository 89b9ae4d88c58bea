import { describe, expect, it } from 'vitest'
import { ALARMS } from '../../infra/alarms.js'
import { CHECKED_PREFIX, LOG_PREFIX, SEALED_PREFIXES } from '../../transform/layout.js'
import { archiveOf, nestedTemplates, ORDERS, ofType, type Resources, templateOf } from './archives.js'
import { bucketPolicies, many, may, named, resourcesOf, rolesOf, type Statement, sparedBy } from './policies.js'
import { templateProblems } from './template-problems.js'
import { wholeTemplate } from './whole-template.js'

const FOREIGN = 'arn:aws:kms:eu-central-1:444455556666:key/0b1c2d3e-aaaa-bbbb-cccc-0123456789ab'
const sealed = templateOf({ Orders: ORDERS }, { seal: { mail: ['auditor@example.com'] } })
const unlocked = templateOf({ Orders: ORDERS }, { seal: true, lock: { mode: 'none' } })
const foreign = templateOf({ Orders: ORDERS }, { seal: { key: FOREIGN, origin: 'audit.example/orders' } })
const plain = templateOf({ Orders: ORDERS })

const ARCHIVE = '<AuditArchiveBucket.Arn>'
const SEALER = 'AuditJournalSealerRole'
const CHECK = 'AuditJournalCheckRole'
const sealKeyOf = (resources: Resources) =>
  ofType(resources, 'AWS::KMS::Key').find(([id]) => named(id) === 'AuditJournalKey')?.[1]
const variables = (resources: Resources, id: string) =>
  ofType(resources, 'AWS::Lambda::Function').find(([name]) => named(name) === id)?.[1].Properties

describe('a sealed archive', () => {
  it('is sealed each hour by one call at a time, and checked each day', () => {
    expect(variables(sealed.resources, 'AuditJournalSealer')).toMatchObject({
      ReservedConcurrentExecutions: 1,
      Timeout: 900,
      Environment: {
        Variables: {
          ITEMTRAIL_ARCHIVE: 'audit',
          ITEMTRAIL_ARCHIVE_BUCKET: { Ref: expect.stringContaining('ArchiveBucket') },
          ITEMTRAIL_ARCHIVE_KEY: expect.anything(),
          ITEMTRAIL_SEAL_KEY: expect.anything(),
        },
      },
    })
    const schedules = ofType(sealed.resources, 'AWS::Events::Rule').filter(([id]) => id.includes('Journal'))
    expect(schedules.map(([id, { Properties }]) => [named(id), Properties.ScheduleExpression])).toEqual([
      ['AuditJournalHourly', 'rate(1 hour)'],
      ['AuditJournalDaily', 'rate(1 day)'],
    ])
  })

  it('has a key of Ed25519 that stays, and that lets nobody sign but the sealer', () => {
    const key = sealKeyOf(sealed.resources)
    expect(key).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' },
    })
    const statements: readonly Statement[] = key?.Properties.KeyPolicy.Statement
    const denied = statements.filter(({ Effect }) => Effect === 'Deny')
    expect(denied).toMatchObject([{ Action: 'kms:Sign', Principal: { AWS: '*' } }])
    expect(denied.flatMap(sparedBy)).toEqual([SEALER])
    const signers = [...rolesOf(sealed.resources)].filter(([, policy]) => JSON.stringify(policy).includes('kms:Sign'))
    expect(signers).toEqual([])
  })

  it('may be signed by the key of another account, which the stack then does not make', () => {
    expect(sealKeyOf(foreign.resources)).toBeUndefined()
    const signs = (role: string) =>
      rolesOf(foreign.resources)
        .get(role)
        ?.filter(({ Action }) => many(Action).some(action => action === 'kms:Sign'))
    expect(signs(SEALER)?.flatMap(resourcesOf)).toEqual([FOREIGN])
    expect(signs(CHECK)).toEqual([])
    expect(variables(foreign.resources, 'AuditJournalSealer').Environment.Variables).toMatchObject({
      ITEMTRAIL_SEAL_KEY: FOREIGN,
      ITEMTRAIL_ORIGIN: 'audit.example/orders',
    })
  })

  it('refuses a key file, which only a desk has', () => {
    expect(() => templateOf({ Orders: ORDERS }, { seal: { key: 'seal.key' } })).toThrow(
      'seal.key is "seal.key", expected the ARN of a KMS key to deploy',
    )
  })

  it.each([
    ['locked', sealed],
    ['not locked', unlocked],
  ])('lets the sealer alone write its journal, and nobody delete there, where it is %s', (_, { resources }) => {
    const roles = [...rolesOf(resources).keys()]
    for (const key of ['checkpoint', 'next/0', 'tile/0/000', 'staging/1-ab'])
      expect(roles.filter(role => may(resources, role, 's3:PutObject', `${ARCHIVE}/log/${key}`))).toEqual([SEALER])
    const denied = (bucketPolicies(resources).get('AuditArchiveBucket') ?? []).filter(({ Sid }) =>
      ['DenySealing', 'DenyUnsealing'].includes(`${Sid}`),
    )
    expect(denied.map(({ Sid, Action }) => [Sid, many(Action)])).toEqual([
      ['DenySealing', ['s3:PutObject']],
      ['DenyUnsealing', ['s3:DeleteObject', 's3:DeleteObjectVersion']],
    ])
    expect(denied.flatMap(resourcesOf)).toEqual([`${ARCHIVE}/log/*`, `${ARCHIVE}/log/*`])
    expect(denied[1]?.Condition).toBeUndefined()
    for (const role of [SEALER, CHECK])
      expect(may(resources, role, 's3:PutObject', `${ARCHIVE}/data/Orders/event_date=2026-11-29/x`)).toBe(false)
  })

  it('lets the check alone write what it keeps, and nothing else', () => {
    for (const { resources } of [sealed, unlocked]) {
      const roles = [...rolesOf(resources).keys()]
      const writers = (key: string) => roles.filter(role => may(resources, role, 's3:PutObject', `${ARCHIVE}/${key}`))
      expect(writers('checked/journal.json')).toEqual([CHECK])
      const [denied] = (bucketPolicies(resources).get('AuditArchiveBucket') ?? []).filter(
        ({ Sid }) => Sid === 'DenyWritingChecked',
      )
      expect(resourcesOf(denied as NonNullable<typeof denied>)).toEqual([`${ARCHIVE}/checked/*`])
    }
  })

  it('lets who copies the archive read whatever lies in it', () => {
    for (const role of ['AuditRolesBaseline', 'AuditRolesRestorer', 'AuditRolesOperator'])
      for (const place of [...SEALED_PREFIXES, LOG_PREFIX, CHECKED_PREFIX])
        expect([role, place, may(sealed.resources, role, 's3:GetObject', `${ARCHIVE}/${place}x`)]).toEqual([
          role,
          place,
          true,
        ])
  })

  it('locks claims and tiles as evidence, and neither the checkpoint nor what is staged', () => {
    const [, rule] = ofType(sealed.resources, 'AWS::Events::Rule').find(([id]) => id.includes('Delivered')) ?? []
    const prefixes = rule?.Properties.EventPattern.detail.object.key.map(({ prefix }: { prefix: string }) => prefix)
    expect(prefixes).toEqual(['data/', 'config/', 'facts/', 'log/next/', 'log/tile/'])
    const staged = ofType(sealed.resources, 'AWS::S3::Bucket')
      .flatMap(([, { Properties }]) => Properties.LifecycleConfiguration.Rules)
      .filter(({ Id }: { Id: string }) => Id === 'staged')
    expect(staged).toMatchObject([{ Prefix: 'log/staging/', ExpirationInDays: 90 }])
  })

  it('mails its checkpoint where that is asked, by a topic of its own', () => {
    const topic = { Ref: expect.stringContaining('JournalCheckpoints') }
    sealed.template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'auditor@example.com',
    })
    expect(variables(sealed.resources, 'AuditJournalCheck').Environment.Variables).toMatchObject({
      ITEMTRAIL_CHECKPOINT_TOPIC: topic,
      ITEMTRAIL_REFUSED_DAYS: '365',
    })
  })

  it('has its alarms, of which three go off where nothing is heard', () => {
    const alarms = ofType(sealed.resources, 'AWS::CloudWatch::Alarm').filter(([id]) => id.includes('Journal'))
    expect(alarms).toHaveLength(ALARMS.journal.length)
    const silent = alarms.filter(([, { Properties }]) => Properties.TreatMissingData === 'breaching')
    expect(silent.map(([, { Properties }]) => Properties)).toMatchObject([
      {
        MetricName: 'Seals',
        Period: 3600,
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        EvaluationPeriods: 2,
      },
      { MetricName: 'KeysClosing', Period: 3600, Threshold: 0, EvaluationPeriods: 2 },
      { MetricName: 'JournalChecks', Period: 86_400, EvaluationPeriods: 2 },
    ])
    for (const [, { Properties }] of alarms)
      expect(Properties).toMatchObject({ Namespace: 'Itemtrail', Dimensions: [{ Name: 'Archive', Value: 'audit' }] })
  })

  it('says its name and key, and is well-formed', () => {
    for (const id of ['JournalOrigin', 'SealKeyArn', 'CheckpointTopicArn'])
      expect(Object.keys(sealed.template.findOutputs('*')).some(output => output.includes(id))).toBe(true)
    for (const { template, stack } of [sealed, foreign])
      for (const one of [template, ...nestedTemplates(stack)])
        expect(templateProblems(one.toJSON().Resources)).toEqual([])
  })

  it('is not made where nobody asked for it', () => {
    expect(Object.keys(plain.resources).filter(id => id.includes('Journal'))).toEqual([])
    const { stack } = archiveOf({ Orders: ORDERS }, { seal: false })
    expect(Object.keys(wholeTemplate(stack).toJSON().Resources)).toEqual(Object.keys(plain.resources))
  })
})
