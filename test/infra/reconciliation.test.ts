import type { Stack } from 'aws-cdk-lib'
import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb'
import { describe, expect, it } from 'vitest'
import { NIGHTLY_LATE_HOURS } from '../../config/nightly.js'
import { ALARMS } from '../../infra/alarms.js'
import { archiveOf, nestedTemplates, ORDERS, ofType, TABLE_KINDS, templateOf } from './archives.js'
import { bucketPolicies, may, sparedBy } from './policies.js'
import { templateProblems } from './template-problems.js'

const recovery = { pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true } }
const exportable = {
  Table: (stack: Stack, name: string) => TABLE_KINDS.Table(stack, name, recovery),
  TableV2: (stack: Stack, name: string) => TABLE_KINDS.TableV2(stack, name, recovery),
}
const Orders = { ...ORDERS, reconcile: true, table: exportable.Table }
const made = templateOf({ Orders, Returns: { since: '2026-11-22', table: TABLE_KINDS.Table } })
const plain = templateOf({ Orders: ORDERS })
const ROLE = 'AuditTablesOrdersReconciliationFunctionRole'

describe('a table that is compared each night', () => {
  it('has a function that is called again and again, with room for an export', () => {
    const rules = ofType(made.resources, 'AWS::Events::Rule').filter(([id]) => id.includes('Reconciliation'))
    expect(rules.map(([, { Properties }]) => Properties.ScheduleExpression)).toEqual(['rate(15 minutes)'])
    made.template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Itemtrail: compares Orders with its archive each night',
      Timeout: 900,
      EphemeralStorage: { Size: 4096 },
    })
  })

  it('has one bucket for exports, which are forgotten after a week; what is remembered is not', () => {
    const buckets = ofType(made.resources, 'AWS::S3::Bucket').filter(([id]) => id.includes('Exports'))
    expect(buckets.map(([, bucket]) => bucket)).toMatchObject([
      {
        DeletionPolicy: 'Retain',
        Properties: {
          LifecycleConfiguration: {
            Rules: [
              { Id: 'forget', Prefix: 'exports/', ExpirationInDays: 7 },
              { Id: 'forget-replaced', NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
            ],
          },
        },
      },
    ])
    expect(ofType(plain.resources, 'AWS::S3::Bucket').filter(([id]) => id.includes('Exports'))).toEqual([])
  })

  it('may export its own table into its own prefix, read its own rows and add its own facts, and nothing else', () => {
    const does = (action: string, resource: string) => may(made.resources, ROLE, action, resource)
    const [archive, exports] = ['<AuditArchiveBucket.Arn>', '<AuditExportsBucket.Arn>']
    expect(does('dynamodb:ExportTableToPointInTime', '<Orders.Arn>')).toBe(true)
    expect(does('dynamodb:ExportTableToPointInTime', '<Returns.Arn>')).toBe(false)
    expect(does('dynamodb:PutItem', '<Orders.Arn>')).toBe(false)
    expect(does('s3:PutObject', `${exports}/exports/Orders/AWSDynamoDB/1/manifest-summary.json`)).toBe(true)
    expect(does('s3:PutObject', `${exports}/exports/Returns/x`)).toBe(false)
    expect(does('s3:PutObject', `${exports}/state/Orders.json`)).toBe(true)
    expect(does('s3:GetObject', `${archive}/data/Orders/event_date=2026-11-22/x`)).toBe(true)
    expect(does('s3:GetObject', `${archive}/data/Returns/event_date=2026-11-22/x`)).toBe(false)
    expect(does('s3:PutObject', `${archive}/facts/Orders/x.json`)).toBe(true)
    expect(does('s3:PutObject', `${archive}/facts/Returns/x.json`)).toBe(false)
    expect(does('s3:PutObject', `${archive}/data/Orders/event_date=2026-11-22/x`)).toBe(false)
  })

  it('is let through the denial of facts, as the role for baselines is', () => {
    const denied = bucketPolicies(made.resources).get('AuditArchiveBucket') ?? []
    const facts = denied.filter(({ Sid }) => Sid === 'DenyWritingFacts')
    expect(facts.flatMap(sparedBy).sort()).toEqual(['AuditRolesBaseline', ROLE].sort())
  })

  it('tells of differences for a day, of a night that was left out, and of failures', () => {
    const alarms = ofType(made.resources, 'AWS::CloudWatch::Alarm').filter(([id]) => id.includes('Reconciliation'))
    expect(alarms.map(([, { Properties }]) => Properties)).toMatchObject([
      { MetricName: 'ReconcileDifferences', Threshold: 0, DatapointsToAlarm: 1, EvaluationPeriods: 24 },
      { MetricName: 'ReconcileAge', Threshold: NIGHTLY_LATE_HOURS, TreatMissingData: 'breaching' },
      { MetricName: 'Errors', Namespace: 'AWS/Lambda', Period: 86_400 },
    ])
    expect(alarms).toHaveLength(ALARMS.reconciliation.length)
    for (const [, { Properties }] of alarms.slice(0, 2))
      expect(Properties).toMatchObject({ Namespace: 'Itemtrail', Dimensions: [{ Name: 'Table', Value: 'Orders' }] })
  })

  it('changes no row: its configuration is the same with and without', () => {
    const configuration = (of: typeof made) =>
      ofType(of.resources, 'Custom::ItemtrailConfiguration').map(([, { Properties }]) => Properties.Key)[0]
    expect(configuration(made)).toEqual(configuration(plain))
  })

  it('is well-formed', () => {
    for (const one of [made.template, ...nestedTemplates(made.stack)])
      expect(templateProblems(one.toJSON().Resources)).toEqual([])
  })

  it('has point-in-time recovery, as far as the app can know', () => {
    const of = (table: (stack: Stack, name: string) => ITable, more = {}) =>
      archiveOf({ Orders: { since: '2026-11-22', keys: ['order_id'], reconcile: true, table, ...more } })
    expect(() => of(TABLE_KINDS.Table)).toThrow('table Orders has no point-in-time recovery, expected')
    expect(() => of(TABLE_KINDS.TableV2)).toThrow('table Orders has no point-in-time recovery, expected')
    expect(() => of(exportable.TableV2)).not.toThrow()
    expect(() => of(TABLE_KINDS.imported)).not.toThrow()
  })

  it('is of the account of the stack, and has no value that is sealed', () => {
    const foreign = (stack: Stack, name: string) =>
      Table.fromTableAttributes(stack, name, {
        tableArn: `arn:aws:dynamodb:eu-central-1:444455556666:table/${name}`,
        tableStreamArn: `arn:aws:dynamodb:eu-central-1:444455556666:table/${name}/stream/2026-11-22T10:00:00.000`,
      }) as ITable
    const about = { since: '2026-11-22', keys: ['order_id'], reconcile: true }
    expect(() => archiveOf({ Orders: { ...about, table: foreign } })).toThrow(
      'table Orders is of account 444455556666, expected one of 111122223333',
    )
    const erasable = [{ subject: 'buyer.id', attributes: ['buyer.name'] }]
    expect(() => archiveOf({ Orders: { ...about, erasable, table: exportable.Table } })).toThrow(
      'table Orders has erasable, expected none with reconcile: an export has its values in clear',
    )
  })
})
