import { describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../config/configuration.js'
import { ALARMS } from '../../infra/alarms.js'
import { archiveOf, nestedTemplates, ORDERS, ofType, TABLE_KINDS, templateOf } from './archives.js'
import { may, named } from './policies.js'
import { templateProblems } from './template-problems.js'

const made = templateOf({ Orders: ORDERS }, { canary: true, compact: true })
const plain = templateOf({ Orders: ORDERS }, { compact: true })
const ROLE = 'AuditCanaryFunctionRole'
const TABLE = 'audit_canary'

describe('an archive with a canary', () => {
  it('has a table of its own that goes with the stack, and is written every five minutes', () => {
    const [, table] = ofType(made.resources, 'AWS::DynamoDB::Table').find(([id]) => id.includes('Canary')) ?? []
    expect(table).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: {
        TableName: TABLE,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      },
    })
    const rules = ofType(made.resources, 'AWS::Events::Rule').filter(([id]) => id.includes('Canary'))
    expect(rules.map(([, { Properties }]) => Properties.ScheduleExpression)).toEqual(['rate(5 minutes)'])
    expect(Object.keys(made.template.findOutputs('*')).some(id => id.includes('CanaryTable'))).toBe(true)
  })

  it('is captured as any other table, without a dashboard, a copy by item, prepared statements or alarms', () => {
    const more = (type: string) => ofType(made.resources, type).length - ofType(plain.resources, type).length
    expect(more('AWS::KinesisFirehose::DeliveryStream')).toBe(1)
    expect(more('AWS::Glue::Table')).toBe(2)
    for (const type of ['AWS::CloudWatch::Dashboard', 'AWS::Athena::PreparedStatement', 'AWS::Kinesis::Stream'])
      expect(more(type)).toBe(0)
    expect(more('AWS::CloudWatch::Alarm')).toBe(ALARMS.canary.length)
    expect(made.archive.tables.map(({ configuration }) => configuration.table)).toEqual(['Orders'])
  })

  it('may write its table and read its rows, and nothing else', () => {
    const does = (action: string, resource: string) => may(made.resources, ROLE, action, resource)
    const bucket = '<AuditArchiveBucket.Arn>'
    expect(does('dynamodb:PutItem', '<AuditCanaryTable.Arn>')).toBe(true)
    expect(does('dynamodb:PutItem', '<Orders.Arn>')).toBe(false)
    expect(does('s3:GetObject', `${bucket}/data/${TABLE}/event_date=2026-11-22/x`)).toBe(true)
    expect(does('s3:GetObject', `${bucket}/data/Orders/event_date=2026-11-22/x`)).toBe(false)
    expect(does('s3:PutObject', `${bucket}/data/${TABLE}/event_date=2026-11-22/x`)).toBe(false)
  })

  it('tells of a lag, of what is missing and of its own silence, each by the metrics of the archive', () => {
    const alarms = ofType(made.resources, 'AWS::CloudWatch::Alarm').filter(([id]) => id.includes('Canary'))
    expect(alarms.map(([, { Properties }]) => Properties)).toMatchObject([
      { MetricName: 'EndToEndLag', Statistic: 'Maximum', Threshold: 2400, Period: 300, DatapointsToAlarm: 2 },
      { MetricName: 'CanaryMissing', Threshold: 0, EvaluationPeriods: 6, TreatMissingData: 'notBreaching' },
      { MetricName: 'EndToEndLag', Statistic: 'SampleCount', Threshold: 1, TreatMissingData: 'breaching' },
    ])
    for (const [, { Properties }] of alarms)
      expect(Properties).toMatchObject({ Namespace: 'Itemtrail', Dimensions: [{ Name: 'Archive', Value: 'audit' }] })
  })

  it('is well-formed, and not there where nobody asked for it', () => {
    for (const one of [made.template, ...nestedTemplates(made.stack)])
      expect(templateProblems(one.toJSON().Resources)).toEqual([])
    expect(Object.keys(plain.resources).filter(id => named(id).includes('anary'))).toEqual([])
    expect(parseConfiguration('{ "canary": true }', 'x').canary).toBe(true)
  })

  it('refuses a table of its own name, and does not stand for one that is captured', () => {
    expect(() => archiveOf({ [TABLE]: { since: '2026-11-22' } }, { canary: true })).toThrow(
      `table ${TABLE} is captured twice`,
    )
    const { app } = archiveOf({}, { canary: true })
    expect(() => app.synth()).toThrow('captures no table')
  })

  it('leaves the name in SQL to a table that is called so in other letters', () => {
    const { archive, stack } = archiveOf(
      { 'audit-canary': { since: '2026-11-22', keys: ['id'], table: TABLE_KINDS.imported } },
      { canary: true },
    )
    const names = nestedTemplates(stack).flatMap(template =>
      Object.values(template.findResources('AWS::Glue::Table')).map(({ Properties }) => Properties.TableInput.Name),
    )
    expect(new Set(names).size).toBe(4)
    expect(archive.tables).toHaveLength(1)
  })
})
