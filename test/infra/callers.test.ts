/** What keeps who called: the trail, its bucket, its table, and who may read them. */
import { App, Stack } from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { beforeAll, describe, expect, it } from 'vitest'
import { EVENT_COLUMNS } from '../../capture/cloudtrail-event.js'
import { AuditArchive } from '../../infra/audit-archive.js'
import { archiveOf, ENVIRONMENT, ORDERS, ofType, type Resource, TABLE_KINDS, templateOf } from './archives.js'
import { may, type Statement } from './policies.js'
import { wholeTemplate } from './whole-template.js'

const TABLES = {
  Orders: { ...ORDERS, keys: ['order_id'], table: TABLE_KINDS.imported },
  Returns: { ...ORDERS, since: '2026-10-01', keys: ['order_id'], table: TABLE_KINDS.imported },
} as const
const CALLS = '<AuditCallersBucket.Arn>'
const EVENTS = { Service: 'events.amazonaws.com' }
const TRAIL = {
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':cloudtrail:eu-central-1:111122223333:trail/audit']],
}

describe('an archive that keeps who called', () => {
  let made: ReturnType<typeof templateOf>
  beforeAll(() => {
    made = templateOf(TABLES, { callers: { days: 400 } })
  })

  /** The resource of a type that belongs to it. */
  function only(type: string): readonly [id: string, resource: Resource] {
    const [found] = ofType(made.resources, type).filter(([id]) => id.startsWith('AuditCaller'))
    if (found === undefined) throw new Error(`no ${type}`)
    return found
  }

  it('logs writes of the captured tables and nothing else, validated and encrypted', () => {
    made.template.hasResourceProperties('AWS::CloudTrail::Trail', {
      TrailName: 'audit',
      IsLogging: true,
      IsMultiRegionTrail: false,
      EnableLogFileValidation: true,
      KMSKeyId: Match.anyValue(),
      EventSelectors: Match.absent(),
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::DynamoDB::Table'] },
            { Field: 'readOnly', Equals: ['false'] },
            {
              Field: 'resources.ARN',
              Equals: ['Orders', 'Returns'].map(name => `arn:aws:dynamodb:eu-central-1:111122223333:table/${name}`),
            },
          ],
        },
      ],
    })
  })

  it('lets this trail write into a bucket of its own, and nobody else, before it is made', () => {
    const [id, policy] = only('AWS::S3::BucketPolicy')
    const statements = policy.Properties.PolicyDocument.Statement
    expect(statements).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          Action: 's3:PutObject',
          Effect: 'Allow',
          Principal: { Service: 'cloudtrail.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceArn': TRAIL, 's3:x-amz-acl': 'bucket-owner-full-control' },
          },
        }),
        expect.objectContaining({
          Action: 's3:PutObject',
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Condition: { StringNotEquals: { 'aws:PrincipalServiceName': 'cloudtrail.amazonaws.com' } },
        }),
      ]),
    )
    const [, trail] = only('AWS::CloudTrail::Trail')
    expect(trail.DependsOn).toContain(id)
  })

  it('forgets events when it is told to, and keeps them where the archive goes', () => {
    const [, bucket] = only('AWS::S3::Bucket')
    expect(bucket.DeletionPolicy).toBe('Retain')
    expect(bucket.Properties.LifecycleConfiguration.Rules).toContainEqual(
      expect.objectContaining({ Id: 'forget', ExpirationInDays: 400, Status: 'Enabled' }),
    )
    expect(bucket.Properties.ObjectLockEnabled).toBeUndefined()
  })

  it('has a Glue table over the days from the first of any table on, as AWS has it for CloudTrail', () => {
    made.template.hasResourceProperties('AWS::Glue::Table', {
      TableInput: {
        Name: 'cloudtrail_events',
        Parameters: Match.objectLike({
          'projection.enabled': 'true',
          'projection.day.type': 'date',
          'projection.day.format': 'yyyy/MM/dd',
          'projection.day.range': '2026/10/01,NOW',
        }),
        PartitionKeys: [Match.objectLike({ Name: 'day', Type: 'string' })],
        StorageDescriptor: Match.objectLike({
          Columns: EVENT_COLUMNS.map(({ name, type, meaning }) => ({ Name: name, Type: type, Comment: meaning })),
          InputFormat: 'com.amazon.emr.cloudtrail.CloudTrailInputFormat',
          SerdeInfo: { SerializationLibrary: 'org.apache.hive.hcatalog.data.JsonSerDe' },
        }),
      },
    })
  })

  it('is read by auditors alone; whoever checks the trail sees the names of its files', () => {
    const roles = ['QueryUser', 'Auditor', 'Operator', 'Baseline', 'Restorer'].map(role => `AuditRoles${role}`)
    const allowed = (action: string, resource: string) =>
      roles.filter(role => may(made.resources, role, action, resource))
    expect(allowed('s3:GetObject', `${CALLS}/AWSLogs/x`)).toEqual(['AuditRolesAuditor'])
    expect(allowed('s3:ListBucket', CALLS)).toEqual(['AuditRolesAuditor', 'AuditRolesOperator'])
    expect(allowed('cloudtrail:GetTrailStatus', 'arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit')).toEqual([
      'AuditRolesOperator',
    ])
  })

  it('has the question as a text for each table, and prepares nothing that who asks there may not read', () => {
    const named = (type: string) =>
      ofType(made.resources, type).filter(([id]) => id.toLowerCase().includes('changeswithcaller'))
    expect(named('AWS::Athena::NamedQuery')).toHaveLength(2)
    expect(named('AWS::Athena::PreparedStatement')).toEqual([])
  })

  it('tells at once who stops or changes the trail, or the bucket that it writes into', () => {
    const [id, trail] = only('AWS::CloudTrail::Trail')
    expect(trail.Properties.TrailName).toBe('audit')
    const [, rule] = only('AWS::Events::Rule')
    const { source, detail } = rule.Properties.EventPattern
    expect([source, detail.$or]).toEqual([
      ['aws.cloudtrail', 'aws.s3'],
      [
        ...['name', 'trailName'].map(parameter => ({
          eventName: expect.arrayContaining(['StopLogging', 'DeleteTrail', 'PutEventSelectors', 'UpdateTrail']),
          requestParameters: { [parameter]: [{ Ref: id }, { 'Fn::GetAtt': [id, 'Arn'] }] },
        })),
        {
          eventName: expect.arrayContaining(['PutBucketPolicy', 'DeleteBucketPolicy']),
          requestParameters: { bucketName: [{ Ref: only('AWS::S3::Bucket')[0] }] },
        },
      ],
    ])
    expect(JSON.stringify(rule.Properties.Targets)).toContain('docs/runbook.md, trail-touched')
  })

  it('tells by a topic and a key that let EventBridge in as it comes, without the account that it acts for', () => {
    const lets = (document: { readonly Statement: readonly Statement[] }) =>
      document.Statement.filter(({ Principal }) => JSON.stringify(Principal).includes('events.amazonaws.com'))
    const [, topic] = ofType(made.resources, 'AWS::SNS::TopicPolicy')[0] ?? []
    expect(lets(topic?.Properties.PolicyDocument)).toEqual([
      { Sid: '2', Effect: 'Allow', Action: 'sns:Publish', Principal: EVENTS, Resource: expect.anything() },
    ])
    const [, key] = ofType(made.resources, 'AWS::KMS::Key')[0] ?? []
    expect(lets(key?.Properties.KeyPolicy)).toContainEqual({
      ...{ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey*'], Principal: EVENTS, Resource: '*' },
    })
  })

  it("says of a topic of somebody else's that it has to let EventBridge in", () => {
    const stack = new Stack(new App(), 'Own', { env: ENVIRONMENT })
    const alarmTopic = Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-central-1:111122223333:ours')
    const own = new AuditArchive(stack, 'Audit', { lock: { mode: 'none' }, callers: true, alarmTopic })
    own.capture(TABLE_KINDS.Table(stack, 'Orders'), ORDERS)
    const warned = (of: Stack) =>
      Annotations.fromStack(of).findWarning('*', Match.stringLikeRegexp('has to let events.amazonaws.com publish'))
    expect(warned(stack).map(({ entry }) => entry.data)).toEqual([
      expect.stringMatching(/^topic Own\/Topic has to let/),
    ])
    expect(warned(made.stack)).toEqual([])
  })

  it('says where the calls are', () => {
    const outputs = Object.keys(made.template.toJSON().Outputs)
    expect(outputs.filter(name => name.includes('CallersBucket'))).toHaveLength(1)
  })
})

describe('an archive that was not told to', () => {
  it('keeps no calls, and has no question about them', () => {
    const { template, resources } = templateOf(TABLES)
    template.resourceCountIs('AWS::CloudTrail::Trail', 0)
    expect(Object.keys(resources).filter(id => /caller/i.test(id))).toEqual([])
  })

  it.each([
    [0, 'callers.days is 0'],
    [1.5, 'callers.days is 1.5'],
  ])('refuses to keep them for %s days', (days, message) => {
    expect(() => archiveOf(TABLES, { callers: { days } })).toThrow(message)
  })

  it('takes a plain true for a year', () => {
    const { stack } = archiveOf(TABLES, { callers: true })
    wholeTemplate(stack).hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 365 })]) },
    })
  })
})
