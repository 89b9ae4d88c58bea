/** What a stack has where values are erasable, and that it has none of it where none are. */
import { describe, expect, it } from 'vitest'
import { DEPLOYED } from '../../cost/deployed.js'
import { parseStatements } from '../../doctor/bucket-policy.js'
import { CLEAR_PLACE_CHECKS, type ClearPlaces } from '../../doctor/clear-place-checks.js'
import type { PersonKeyFacts } from '../../doctor/deployed-facts.js'
import { PERSON_KEY_CHECKS } from '../../doctor/person-key-checks.js'
import type { CaptureProps } from '../../infra/archive-props.js'
import { archiveOf, ORDERS, ofType, type Resource, type Resources, templateOf } from './archives.js'
import { actionsOf, many, type Statement } from './policies.js'

const ERASABLE: CaptureProps = {
  ...ORDERS,
  erasable: [{ subject: 'buyer.id', attributes: ['buyer.name', { attribute: 'buyer.mail', keep: 'domain' }] }],
}
const { resources } = templateOf({ Orders: ERASABLE, Plain: { since: '2026-11-22' } })
const plain = templateOf({ Orders: ORDERS }).resources

const one = (type: string, id: RegExp): Resource =>
  ofType(resources, type).find(([found]) => id.test(found))?.[1] as Resource
const table = one('AWS::DynamoDB::Table', /^AuditPersonsKeysTable/)
const key = one('AWS::KMS::Key', /^AuditPersonsKeysKey/)
const usesOf = (all: Resources) =>
  ofType(all, 'AWS::IAM::Role').flatMap(([id, { Properties }]) =>
    (Properties.Tags ?? [])
      .filter((tag: { Key: string }) => tag.Key === 'itemtrail:keys')
      .map((tag: { Value: string }) => `${tag.Value} ${id.replace(/[0-9A-F]{8}$/, '')}`),
  )

/** Whether a policy of a key or a table denies something to a role with this tag; without one to anybody else. */
function isDenied(
  document: { readonly Statement: readonly Statement[] },
  action: string,
  use: string | undefined,
  purpose?: string,
): boolean {
  const given: Record<string, string | undefined> = {
    'aws:PrincipalTag/itemtrail:keys': use,
    'kms:EncryptionContext:itemtrail:purpose': purpose,
  }
  return document.Statement.filter(({ Effect }) => Effect === 'Deny')
    .filter(statement =>
      actionsOf(statement).some(pattern => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(action)),
    )
    .some(({ Condition = {} }) => {
      expect(Object.keys(Condition)).toEqual(Condition.StringNotEquals === undefined ? [] : ['StringNotEquals'])
      return Object.entries(Condition.StringNotEquals ?? {}).every(
        ([name, allowed]) => !(many(allowed) as readonly string[]).includes(given[name] ?? '?'),
      )
    })
}

describe('the keys of persons', () => {
  it('are kept whatever becomes of the stack, for no longer than a certificate says', () => {
    for (const { DeletionPolicy, UpdateReplacePolicy } of [table, key])
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain'])
    expect(table.Properties).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 },
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true },
    })
    expect(table.Properties.TimeToLiveSpecification).toBeUndefined()
    expect(table.Properties.StreamSpecification).toBeUndefined()
    expect(key.Properties.EnableKeyRotation).toBe(true)
  })

  it('are made and destroyed by who is let in, and removed by nobody', () => {
    const { PolicyDocument } = table.Properties.ResourcePolicy
    const uses = (action: string) =>
      ['seal', 'erase', 'reveal', 'make', undefined].filter(use => !isDenied(PolicyDocument, action, use))
    expect(uses('dynamodb:PutItem')).toEqual(['seal', 'erase', 'make'])
    expect(uses('dynamodb:UpdateItem')).toEqual(['erase'])
    for (const action of ['DeleteItem', 'BatchWriteItem', 'PartiQLDelete', 'PartiQLInsert', 'PartiQLUpdate'])
      expect(uses(`dynamodb:${action}`)).toEqual([])
  })

  it('are opened by who seals and who reveals; who erases gets what makes tokens alone', () => {
    const { KeyPolicy } = key.Properties
    const uses = (action: string, purpose?: string) =>
      ['seal', 'erase', 'reveal', 'make', undefined].filter(use => !isDenied(KeyPolicy, action, use, purpose))
    expect(uses('kms:Decrypt', 'keys')).toEqual(['seal', 'reveal'])
    expect(uses('kms:Decrypt', 'tokens')).toEqual(['seal', 'erase', 'reveal'])
    expect(uses('kms:Decrypt')).toEqual(['seal', 'reveal'])
    expect(uses('kms:GenerateDataKey')).toEqual(['make'])
    for (const action of ['Encrypt', 'ReEncryptFrom', 'CreateGrant']) expect(uses(`kms:${action}`)).toEqual(['make'])
  })

  it('let in the function of the table that has erasable values, and roles that read or write in clear', () => {
    expect(usesOf(resources).sort()).toEqual([
      'erase AuditPersonsRolesEraser',
      'make AuditPersonsKeysMakerRole',
      'reveal AuditPersonsRolesRevealer',
      'reveal AuditRolesRestorer',
      'seal AuditRolesBaseline',
      'seal AuditTablesOrdersTransformFunctionRole',
    ])
  })

  it('are there before the first function seals', () => {
    const functions = ofType(resources, 'AWS::Lambda::Function')
    const transform = functions.find(([id]) => /^AuditTablesOrdersTransform/.test(id))?.[1] as Resource
    expect(transform.DependsOn).toContainEqual(expect.stringMatching(/^AuditPersonsKeysStore/))
    expect(transform.Properties.Environment.Variables).toEqual({
      ITEMTRAIL_KEY_TABLE: { Ref: expect.stringMatching(/^AuditPersonsKeysTable/) },
    })
    // an invocation that takes longer could seal under a key for longer than a certificate says
    expect(transform.Properties.Timeout).toBe(120)
    const other = functions.find(([id]) => /^AuditTablesPlainTransform/.test(id))?.[1] as Resource
    expect(other.Properties.Environment).toBeUndefined()
  })

  it('have the alarm that a plan reckons with', () => {
    const alarm = one('AWS::CloudWatch::Alarm', /^AuditPersonsAlarms/)
    const stats = alarm.Properties.Metrics.filter(({ MetricStat }: { MetricStat?: object }) => MetricStat !== undefined)
    expect(stats).toHaveLength(DEPLOYED.alarmMetrics.persons)
  })

  it('tell of what is done to them themselves', () => {
    const rule = one('AWS::Events::Rule', /^AuditPersonsEvents/)
    const pattern = JSON.stringify(rule.Properties.EventPattern)
    for (const event of [
      'ScheduleKeyDeletion',
      'DisableKey',
      'DeleteTable',
      'UpdateTable',
      'RestoreTableToPointInTime',
    ])
      expect(pattern).toContain(`"${event}"`)
    expect(rule.Properties.Targets).toEqual([
      expect.objectContaining({ Arn: { Ref: expect.stringMatching(/^AuditAlarmTopic/) } }),
    ])
    expect(JSON.stringify(rule.Properties.Targets)).toContain('docs/runbook.md, person-keys-touched')
  })
})

describe('what doctor asks of the keys', () => {
  const found = <T>(value: T) => ({ kind: 'found', value }) as const
  const policyOf = (document: object) => found(parseStatements(JSON.stringify(document)))
  const deployed = (
    policy: object = table.Properties.ResourcePolicy.PolicyDocument,
    keyPolicy: object = key.Properties.KeyPolicy,
  ): PersonKeyFacts => ({
    isProtected: found(table.Properties.DeletionProtectionEnabled),
    backupDays: found(table.Properties.PointInTimeRecoverySpecification.RecoveryPeriodInDays),
    backups: found([]),
    policy: policyOf(policy),
    key: found({
      id: 'key',
      account: '111122223333',
      state: 'Enabled',
      spec: 'SYMMETRIC_DEFAULT',
      policy: policyOf(keyPolicy),
      signingGrants: found([]),
    }),
  })
  const wrong = (facts: PersonKeyFacts) =>
    PERSON_KEY_CHECKS.filter(({ judge }) => judge(facts).verdict !== 'ok').map(({ name }) => name)
  const without = (document: { Statement: readonly Statement[] }, sid: string) => ({
    Statement: document.Statement.filter(({ Sid }) => Sid !== sid),
  })

  it('is what is deployed', () => {
    expect(wrong(deployed())).toEqual([])
  })

  it.each(['DenyRemoving', 'DenyMaking', 'DenyDestroying'])('is missed where the table lacks %s', sid => {
    const { PolicyDocument } = table.Properties.ResourcePolicy
    expect(wrong(deployed(without(PolicyDocument, sid)))).toEqual(['key table policy'])
  })

  it.each(['DenyUsing', 'DenyOpening', 'DenyOpeningKeys'])('is missed where the key lacks %s', sid => {
    expect(wrong(deployed(undefined, without(key.Properties.KeyPolicy, sid)))).toEqual(['who may open keys'])
  })

  it('is missed where somebody else has a tag that lets him in', () => {
    const opened = JSON.parse(JSON.stringify(key.Properties.KeyPolicy).replaceAll('"reveal"', '"reveal","mine"'))
    expect(wrong(deployed(undefined, opened))).toEqual(['who may open keys'])
  })

  it('is missed where the table can be deleted, restored for longer or not at all, or was copied', () => {
    const facts = { ...deployed(), isProtected: found(false), backups: found(['by hand']) }
    expect(wrong({ ...facts, backupDays: found(35) })).toEqual([
      'key table protected',
      'key table backup',
      'key table copies',
    ])
    expect(wrong({ ...deployed(), backupDays: found(0) })).toEqual(['key table backup'])
  })
})

describe('what doctor asks of places that may hold something of a person', () => {
  const found = <T>(value: T) => ({ kind: 'found', value }) as const
  const bucket = (id: RegExp) => {
    const { Rules } = one('AWS::S3::Bucket', id).Properties.LifecycleConfiguration
    return Rules.map((rule: Resource['Properties']) => ({
      prefix: rule.Prefix ?? '',
      days: rule.ExpirationInDays,
      versionDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
    }))
  }
  const kept = ['AWS::Logs::LogGroup', 'AWS::SQS::Queue'].flatMap(type =>
    ofType(resources, type).map(([logicalId, { Properties }]) => ({
      logicalId,
      type,
      days: Properties.RetentionInDays ?? Properties.MessageRetentionPeriod / 86_400,
    })),
  )
  const placesOf = (all = kept, rules = bucket(/^AuditArchiveBucket/)) =>
    ({
      archive: found({ lifecycle: found(rules) }),
      refused: found({ lifecycle: found(bucket(/^AuditRefused/)) }),
      refusedDays: 365,
      drift: [{ stack: 'S', found: found({ kept: all }) }],
      stack: { resources: kept },
    }) as unknown as ClearPlaces
  const judge = (places: ClearPlaces) =>
    CLEAR_PLACE_CHECKS.map(check => [check.name, check.judge(places).verdict] as const)
      .filter(([, verdict]) => verdict !== 'ok')
      .map(([name, verdict]) => `${name}: ${verdict}`)

  it('is what is deployed', () => {
    expect(kept.length).toBeGreaterThan(3)
    expect(judge(placesOf())).toEqual([])
  })

  it('is missed where something is kept for longer, or for ever, and not checked where nobody looked', () => {
    const longer = kept.map(one => ({ ...one, days: one.type === 'AWS::Logs::LogGroup' ? undefined : one.days + 1 }))
    const queues = kept.filter(({ type }) => type === 'AWS::SQS::Queue').length
    expect(judge(placesOf(longer))).toEqual(['logs: wrong', ...(queues > 0 ? ['queues: wrong'] : [])])
    expect(judge(placesOf(kept.slice(1)))).toEqual(['logs: unchecked'])
    for (const rule of [{ prefix: 'refused/x/' }, { days: undefined }, { days: 366 }, { versionDays: undefined }])
      expect(judge(placesOf(kept, [{ prefix: 'refused/', days: 365, versionDays: 1, ...rule }]))).toEqual([
        'refused records in the archive: wrong',
      ])
  })
})

describe('an archive without erasable values', () => {
  it('has no keys, no role for them and no client of AWS beside the transform', () => {
    const { archive } = archiveOf({ Orders: ORDERS })
    expect(archive.persons).toBeUndefined()
    expect(Object.keys(plain).filter(id => id.includes('Persons'))).toEqual([])
    expect(usesOf(plain)).toEqual([])
    expect(JSON.stringify(plain)).not.toMatch(/KEY_TABLE|itemtrail:keys|KeyStore/)
  })
})

it('names an erasable value that cannot be one, at synthesis', () => {
  expect(() =>
    archiveOf({ Orders: { ...ORDERS, keys: ['order_id'], erasable: [{ subject: 'b', attributes: ['order_id'] }] } }),
  ).toThrow(/tables\.Orders\.erasable\[0\]\.attributes\[0\] is order_id, which the key holds in clear/)
})

it('has tokens made in the place of keys that name persons, by the one function and as the archive keeps it', () => {
  const users = { ...ERASABLE, keys: ['order_id'], keyIsPersonal: ['order_id'] }
  const { resources: made } = templateOf({ Orders: users })
  const [, kept] = ofType(made, 'Custom::ItemtrailConfiguration')[0] as [string, Resource]
  expect(JSON.parse(kept.Properties.Body)).toMatchObject({ keyIsPersonal: ['order_id'] })
  expect(() => archiveOf({ Orders: { ...users, keyIsPersonal: ['id'] } })).toThrow(
    /tables\.Orders\.keyIsPersonal\[0\] is "id", expected one of "keys": order_id/,
  )
})
