import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { describe, expect, it } from 'vitest'
import { ALARMS } from '../../infra/alarms.js'
import { AuditArchive } from '../../infra/audit-archive.js'
import { archiveOf, ENVIRONMENT, ORDERS, ofType, type Resources, TABLE_KINDS, templateOf } from './archives.js'
import { wholeTemplate } from './whole-template.js'

const streams = templateOf({ Orders: ORDERS }, { notify: ['oncall@example.com'] })
const kinesis = templateOf({ Orders: { ...ORDERS, capture: 'kinesis' } })
const byBucket = templateOf({ Orders: ORDERS }, { lock: { mode: 'compliance', days: 30, confirm: true, by: 'bucket' } })
const unlocked = templateOf({ Orders: ORDERS }, { lock: { mode: 'none' } })
const compacted = templateOf({ Orders: ORDERS }, { compact: true })
const sealed = templateOf({ Orders: ORDERS }, { seal: { mail: ['auditor@example.com'] } })
const rules = Object.values(ALARMS).flatMap(list => list.map(({ name }) => name))

const alarmsIn = (resources: Resources) =>
  new Map(
    ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => [
      Properties.AlarmDescription.split(', ').at(-1) as string,
      Properties,
    ]),
  )

describe('alarms', () => {
  it('are those of the capture, all of them telling the topic when they go off and when they are over', () => {
    const names = (...lists: (keyof typeof ALARMS)[]) =>
      lists.flatMap(list => ALARMS[list].map(({ name }) => name)).sort()
    expect([...alarmsIn(streams.resources).keys()].sort()).toEqual(
      names('both', 'streams', 'locks', 'queries', 'refused'),
    )
    expect([...alarmsIn(kinesis.resources).keys()].sort()).toEqual(
      names('both', 'kinesis', 'locks', 'queries', 'refused'),
    )
    expect([...alarmsIn(compacted.resources).keys()].sort()).toEqual(
      names('both', 'streams', 'locks', 'queries', 'refused', 'compaction'),
    )
    expect([...alarmsIn(sealed.resources).keys()].sort()).toEqual(
      names('both', 'streams', 'locks', 'queries', 'refused', 'journal'),
    )
    expect([...alarmsIn(unlocked.resources).keys()].sort()).toEqual(names('both', 'streams', 'queries', 'refused'))
    for (const alarm of alarmsIn(streams.resources).values()) {
      expect(alarm.AlarmActions).toEqual([{ Ref: expect.stringMatching(/AlarmTopic/) }])
      expect(alarm.OKActions).toEqual(alarm.AlarmActions)
    }
  })

  it('tell of a stream that nobody reads: no age is measured where nobody is called', () => {
    const alarm = alarmsIn(streams.resources).get('stream-unread')
    expect(alarm).toMatchObject({
      Threshold: 0,
      DatapointsToAlarm: 2,
      EvaluationPeriods: 24,
      TreatMissingData: 'notBreaching',
    })
    const metrics = alarm?.Metrics as readonly { readonly MetricStat?: object; readonly Expression?: string }[]
    expect(metrics.map(({ Expression }) => Expression).find(text => text !== undefined)).toBe(
      'IF(FILL(polled, 0) > 0, 0, FILL(written, 0))',
    )
    const stats = metrics.flatMap(({ MetricStat }) => MetricStat ?? [])
    expect(stats).toEqual(
      ['PolledEventCount', 'ConsumedWriteCapacityUnits'].map(MetricName =>
        expect.objectContaining({ Metric: expect.objectContaining({ MetricName }), Period: 3600, Stat: 'Sum' }),
      ),
    )
  })

  it.each([
    ['stream-behind', { Threshold: 5 * 60_000, MetricName: 'IteratorAge', Statistic: 'Maximum' }],
    ['stream-far-behind', { Threshold: 3_600_000, MetricName: 'IteratorAge' }],
    ['twelve-hours-to-loss', { Threshold: 12 * 3_600_000, MetricName: 'IteratorAge', EvaluationPeriods: 1 }],
    [
      'batch-given-up',
      {
        Threshold: 0,
        MetricName: 'OnFailureDestinationDeliveredEventCount',
        Dimensions: [{ Name: 'EventSourceMappingUUID', Value: expect.anything() }],
      },
    ],
    [
      'put-failures-persist',
      {
        Threshold: 0,
        MetricName: 'RecordsLeft',
        Namespace: 'Itemtrail',
        EvaluationPeriods: 5,
        Dimensions: [{ Name: 'Table', Value: 'Orders' }],
      },
    ],
    [
      'record-refused',
      {
        Threshold: 0,
        MetricName: 'RecordsRefused',
        Namespace: 'Itemtrail',
        Dimensions: [{ Name: 'Table', Value: 'Orders' }],
      },
    ],
    ['delivery-slow', { Threshold: 1800, MetricName: 'DeliveryToS3.DataFreshness', Namespace: 'AWS/Firehose' }],
    ['delivery-late', { Threshold: 3600, MetricName: 'DeliveryToS3.DataFreshness' }],
    ['delivery-fails', { ComparisonOperator: 'LessThanThreshold', MetricName: 'DeliveryToS3.Success' }],
    ['object-unlocked', { Threshold: 0, MetricName: 'ApproximateNumberOfMessagesVisible' }],
    ['lock-event-lost', { Threshold: 0, MetricName: 'FailedInvocations', Namespace: 'AWS/Events' }],
    ['refused-expiring', { Threshold: 0, MetricName: 'RefusedExpiring', Namespace: 'Itemtrail', Period: 86_400 }],
    [
      'refused-unwatched',
      {
        ...{ MetricName: 'RefusedExpiring', Statistic: 'SampleCount', Period: 86_400, EvaluationPeriods: 2 },
        ...{ ComparisonOperator: 'LessThanThreshold', Threshold: 1, TreatMissingData: 'breaching' },
      },
    ],
    ['scan-cutoff', { Threshold: 0.99 * 100 * 1024 ** 3, MetricName: 'ProcessedBytes', Namespace: 'AWS/Athena' }],
  ])('%s goes off where the table of thresholds says', (name, properties) => {
    expect(alarmsIn(streams.resources).get(name)).toMatchObject(properties)
  })

  it('look at the stream that records are sent again by, where it is one of its own', () => {
    const streamOf = (resources: Resources, name: string) =>
      JSON.stringify(alarmsIn(resources).get(name)?.Dimensions ?? 'no alarm')
    for (const name of ['replay-late', 'too-many-dates'])
      expect(streamOf(kinesis.resources, name)).toMatch(/ReplayStream/)
    expect(streamOf(kinesis.resources, 'delivery-late')).toMatch(/DeliveryStream/)
    expect(streamOf(streams.resources, 'too-many-dates')).toMatch(/DeliveryStream/)
  })

  it('ask DynamoDB for what it skipped, of this table alone', () => {
    const [query] = alarmsIn(kinesis.resources).get('change-skipped').Metrics
    expect(query.Expression).toContain('SUM(FailedToReplicateRecordCount)')
    expect(query.Expression).toContain("TableName = 'Orders'")
  })

  it("go to a topic of the app's own, where one is given, and to no other", () => {
    const app = new Stack(new App(), 'Own', { env: ENVIRONMENT })
    const topic = Topic.fromTopicArn(app, 'Topic', 'arn:aws:sns:eu-central-1:111122223333:ours')
    const own = new AuditArchive(app, 'Audit', { lock: { mode: 'none' }, alarmTopic: topic, notify: ['a@example.com'] })
    own.capture(TABLE_KINDS.Table(app, 'Orders'), ORDERS)
    const template = wholeTemplate(app)
    template.resourceCountIs('AWS::SNS::Topic', 0)
    template.hasResourceProperties('AWS::SNS::Subscription', { TopicArn: topic.topicArn, Endpoint: 'a@example.com' })
    const told = [...alarmsIn(template.toJSON().Resources).values()].flatMap(({ AlarmActions }) => AlarmActions)
    expect(new Set(told)).toEqual(new Set([topic.topicArn]))
    expect(own.alarmTopic).toBe(topic)
  })

  it('reach people: by mail where asked, by a topic that lets alarms in and encrypts with a key that they may use', () => {
    streams.template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'oncall@example.com',
    })
    streams.template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ]),
      },
    })
    streams.template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: Match.arrayWith(['kms:Decrypt', 'kms:GenerateDataKey*']),
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': ENVIRONMENT.account } },
          }),
        ]),
      },
    })
  })

  it('have a heading each in the runbook, and no heading is without an alarm', () => {
    const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
    const headings = [...runbook.matchAll(/^### (.+)$/gm)].map(match => match[1] as string)
    // one is told as it happens, without a metric
    expect(headings.sort()).toEqual([...rules, 'person-keys-touched', 'trail-touched'].sort())
    for (const section of runbook.split(/^### /m).slice(1)) {
      for (const part of ['**Means**', '**Look**', '**Do**']) expect(section).toContain(part)
    }
  })

  it('have names of their own', () => {
    expect(new Set(rules).size).toBe(rules.length)
  })
})

describe('the dashboard', () => {
  it('of each table shows loss, lag, throughput and cost, in this order', () => {
    for (const { stack } of [streams, kinesis]) {
      const [dashboard] = Object.values(wholeTemplate(stack).findResources('AWS::CloudWatch::Dashboard'))
      const titles = [...JSON.stringify(dashboard).matchAll(/## (?:Orders: )?(\w+)/g)].map(match => match[1])
      expect(titles).toEqual(['loss', 'Lag', 'Throughput', 'Cost'])
    }
  })
})

describe('the archive', () => {
  const bucketsOf = (resources: Resources) => ofType(resources, 'AWS::S3::Bucket')
  const archiveBucket = (resources: Resources) =>
    bucketsOf(resources).find(([id]) => id.includes('ArchiveBucket'))?.[1].Properties

  /** Rules that are told of objects, not of the time. */
  const deliveryRules = (resources: Resources) =>
    ofType(resources, 'AWS::Events::Rule').filter(([, { Properties }]) => Properties.EventPattern !== undefined)

  it.each([
    ['after delivery', streams, { ObjectLockEnabled: true }],
    [
      'by its bucket',
      byBucket,
      {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } },
        },
      },
    ],
  ])('is locked %s', (_, { resources }, lock) => {
    expect(archiveBucket(resources)).toMatchObject(lock)
    expect(deliveryRules(resources).length === 1).toBe(archiveBucket(resources).ObjectLockConfiguration === undefined)
  })

  it('is not locked where nobody wants it, and then has no lock function', () => {
    expect(archiveBucket(unlocked.resources).ObjectLockEnabled).not.toBe(true)
    expect(deliveryRules(unlocked.resources)).toEqual([])
    unlocked.template.resourceCountIs('AWS::SQS::Queue', 0)
  })

  it('has each delivered object locked through a queue that forgets nothing for two weeks', () => {
    streams.template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: {
          bucket: { name: [{ Ref: Match.stringLikeRegexp('ArchiveBucket') }] },
          object: { key: Match.arrayWith([{ prefix: 'data/' }, { prefix: 'config/' }, { prefix: 'facts/' }]) },
        },
      },
    })
    expect(archiveBucket(streams.resources).NotificationConfiguration).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    })
    streams.template.hasResourceProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: Match.objectLike({ maxReceiveCount: 20 }),
    })
    streams.template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { ITEMTRAIL_LOCK_MODE: 'GOVERNANCE', ITEMTRAIL_LOCK_DAYS: '2557' } },
    })
  })

  it('goes, when it is old, only to classes that Athena reads, and never before 90 days', () => {
    const transitions = archiveBucket(streams.resources).LifecycleConfiguration.Rules.flatMap(
      (rule: { Transitions?: object[] }) => rule.Transitions ?? [],
    )
    expect(transitions.map(({ StorageClass }: { StorageClass: string }) => StorageClass)).toEqual([
      'STANDARD_IA',
      'GLACIER_IR',
    ])
    for (const { TransitionInDays } of transitions) expect(TransitionInDays).toBeGreaterThanOrEqual(90)
  })

  it('expires nothing but what was refused', () => {
    const expiring = archiveBucket(streams.resources).LifecycleConfiguration.Rules.filter(
      (rule: object) => 'ExpirationInDays' in rule || 'NoncurrentVersionExpiration' in rule,
    )
    expect(expiring).toEqual([expect.objectContaining({ Prefix: 'refused/', ExpirationInDays: 365 })])
  })

  it('has only buckets that are versioned, encrypted, closed, logged and kept', () => {
    const buckets = bucketsOf(compacted.resources)
    expect([bucketsOf(streams.resources).length, buckets.length]).toEqual([4, 5])
    for (const [id, { Properties, DeletionPolicy, UpdateReplacePolicy }] of buckets) {
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain'])
      expect(Properties).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      })
      if (id.includes('AccessLogs')) continue
      expect(Properties.LoggingConfiguration.DestinationBucketName).toEqual({
        Ref: expect.stringMatching(/AccessLogs/),
      })
      expect(Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: expect.anything() },
        },
      ])
    }
  })

  it('forgets what was refused when its days are over', () => {
    const { resources } = templateOf({ Orders: ORDERS }, { refusedRetention: Duration.days(30) })
    const days = ofType(resources, 'AWS::S3::Bucket').flatMap(([, { Properties }]) =>
      Properties.LifecycleConfiguration.Rules.map((rule: { ExpirationInDays?: number }) => rule.ExpirationInDays),
    )
    expect(days.filter(day => day === 30)).toHaveLength(3)
  })

  it('keeps the key that it is read with, and the configuration of its rows under its own name', () => {
    const [, key] = ofType(streams.resources, 'AWS::KMS::Key')[0] as (typeof rules)[number] &
      [string, Resources[string]]
    expect([key.DeletionPolicy, key.UpdateReplacePolicy]).toEqual(['Retain', 'Retain'])
    const [, kept] = ofType(streams.resources, 'Custom::ItemtrailConfiguration')[0] as [string, Resources[string]]
    const { Key, Body, Bucket } = kept.Properties
    expect(Key).toBe(`config/Orders/${hash('sha256', Body).slice(0, 16)}.json`)
    expect(Bucket).toEqual({ Ref: expect.stringContaining('ArchiveBucket') })
  })

  it('is compacted where that is wished, by a function of each table that Athena works for', () => {
    const { resources, stack } = compacted
    const functions = ofType(resources, 'AWS::Lambda::Function').filter(([id]) => id.includes('Compaction'))
    expect(functions.map(([, { Properties }]) => Properties)).toMatchObject([
      {
        Timeout: 900,
        Environment: {
          Variables: {
            ITEMTRAIL_ARCHIVE_BUCKET: { Ref: expect.stringContaining('Archive') },
            ITEMTRAIL_DERIVED_BUCKET: { Ref: expect.stringContaining('Derived') },
            ITEMTRAIL_DATABASE: 'audit',
            ITEMTRAIL_WORKGROUP: 'audit_compaction',
            ITEMTRAIL_RUN_BYTES: `${8 * 1024 ** 3}`,
          },
        },
      },
    ])
    const workgroup = ofType(resources, 'AWS::Athena::WorkGroup').find(([id]) => id.includes('Derived'))?.[1].Properties
    expect([workgroup?.Name, workgroup?.WorkGroupConfiguration.BytesScannedCutoffPerQuery]).toEqual([
      'audit_compaction',
      undefined,
    ])
    compacted.template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 })
    const schedules = ofType(resources, 'AWS::Events::Rule').filter(([id]) => id.includes('Compaction'))
    expect(schedules.map(([, { Properties }]) => Properties.ScheduleExpression)).toEqual(['rate(6 hours)'])
    const [, table] = ofType(resources, 'AWS::Glue::Table').find(([id]) => id.includes('Copy')) ?? []
    const { Name, Parameters, PartitionKeys, StorageDescriptor } = table?.Properties.TableInput ?? {}
    expect([Name, PartitionKeys.map((key: { Name: string }) => key.Name)]).toEqual([
      'orders__by_item',
      ['folder', 'bucket'],
    ])
    expect(stack.resolve(Parameters)).toMatchObject({
      'projection.folder.type': 'injected',
      'projection.bucket.type': 'injected',
      'storage.location.template': {
        'Fn::Join': [
          '',
          [
            's3://',
            { Ref: expect.stringContaining('Derived') },
            // biome-ignore lint/suspicious/noTemplateCurlyInString: what Athena fills in
            '/derived/Orders/changes/folder=${folder}/bucket=${bucket}/',
          ],
        ],
      },
    })
    expect(StorageDescriptor.Columns.slice(-2).map((column: { Name: string }) => column.Name)).toEqual([
      'event_date',
      'repeats',
    ])
    compacted.template.hasOutput('*', { Value: { Ref: Match.stringLikeRegexp('Derived') } })
    streams.template.resourcePropertiesCountIs('AWS::Events::Rule', { ScheduleExpression: 'rate(6 hours)' }, 0)
  })

  it('is for one region and account where the stack says so', () => {
    const { stack } = archiveOf({ Orders: ORDERS })
    expect([stack.account, stack.region]).toEqual([ENVIRONMENT.account, ENVIRONMENT.region])
  })
})
