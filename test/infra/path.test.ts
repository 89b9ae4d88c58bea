import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib'
import { Match, type Template } from 'aws-cdk-lib/assertions'
import { AttributeType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, it } from 'vitest'
import { columnsOf, duckDbType } from '../../transform/audit-row.js'
import { partitionPrefix } from '../../transform/layout.js'
import {
  archiveOf,
  ENVIRONMENT,
  nestedTemplates,
  ORDERS,
  ofType,
  type Resources,
  STREAM_ARN,
  TABLE_KINDS,
  templateOf,
} from './archives.js'
import { prefixOf, wholeTemplate } from './whole-template.js'

const FIREHOSE = 'AWS::KinesisFirehose::DeliveryStream'
const MAPPING = 'AWS::Lambda::EventSourceMapping'

/** DuckDB's names where they are not Glue's. */
const PARQUET_TYPES: { readonly [type: string]: string } = {
  VARCHAR: 'string',
  'VARCHAR[]': 'array<string>',
  TIMESTAMP_MS: 'timestamp',
}

const streams = templateOf({ Orders: ORDERS })
const kinesis = templateOf({ Orders: { ...ORDERS, capture: 'kinesis' } })
const three = templateOf({
  Orders: ORDERS,
  Sessions: { since: '2026-11-01', table: TABLE_KINDS.TableV2 },
  'My.Events': { since: '2026-11-01', keys: ['order_id'], capture: 'kinesis', table: TABLE_KINDS.imported },
})

/** Whether a resource waits for another, by reference or by order, over any number of steps. */
function waitsFor(resources: Resources, id: string, other: string, seen = new Set<string>()): boolean {
  if (seen.has(id)) return false
  seen.add(id)
  const text = JSON.stringify(resources[id])
  const needed = Object.keys(resources).filter(name => name !== id && text.includes(`"${name}"`))
  return needed.includes(other) || needed.some(name => waitsFor(resources, name, other, seen))
}

const only = (resources: Resources, type: string) => {
  const found = ofType(resources, type)
  expect(found).toHaveLength(1)
  return found[0] as (typeof found)[number]
}

describe('capture by streams', () => {
  it('makes rows under a configuration that the archive keeps, and of columns that the Glue table has', () => {
    const { resources } = streams
    const [kept] = only(resources, 'Custom::ItemtrailConfiguration')
    const [transform = ''] = ofType(resources, 'AWS::Lambda::Function').find(([id]) => id.includes('Transform')) ?? []
    expect(waitsFor(resources, transform, kept)).toBe(true)
    const tables = ofType(resources, 'AWS::Glue::Table')
    expect(tables.some(([id]) => waitsFor(resources, transform, id))).toBe(true)
  })

  it.each(['Table', 'TableV2', 'imported'] as const)(
    'reads the stream of a %s from its beginning and gives nothing up',
    kind => {
      const { template } = templateOf({ Orders: { ...ORDERS, keys: ['order_id'], table: TABLE_KINDS[kind] } })
      template.hasResourceProperties(MAPPING, {
        EventSourceArn: kind === 'imported' ? STREAM_ARN : { 'Fn::GetAtt': [Match.anyValue(), 'StreamArn'] },
        StartingPosition: 'TRIM_HORIZON',
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        MaximumRetryAttempts: -1,
        MaximumRecordAgeInSeconds: 24 * 60 * 60,
        MetricsConfig: { Metrics: ['EventCount'] },
      })
    },
  )

  it('keeps what Lambda gives up in S3, which holds the records and not pointers to them', () => {
    const [refused] = only(
      Object.fromEntries(ofType(streams.resources, 'AWS::S3::Bucket').filter(([id]) => id.includes('Refused'))),
      'AWS::S3::Bucket',
    )
    streams.template.hasResourceProperties(MAPPING, {
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [refused, 'Arn'] } } },
    })
  })

  it('tells the forwarder its table, its delivery stream and where to keep what is too large', () => {
    const [delivery] = only(streams.resources, FIREHOSE)
    streams.template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          ITEMTRAIL_TABLE: 'Orders',
          ITEMTRAIL_DELIVERY_STREAM: { Ref: delivery },
          ITEMTRAIL_REFUSED_BUCKET: { Ref: Match.stringLikeRegexp('Refused') },
        },
      },
    })
  })

  it('decrypts the stream of a table that has a key of its own', () => {
    const { stack, archive } = archiveOf({})
    const table = new TableV2(stack, 'Orders', {
      tableName: 'Orders',
      partitionKey: { name: 'id', type: AttributeType.STRING },
      dynamoStream: 'NEW_AND_OLD_IMAGES' as never,
      encryption: TableEncryptionV2.customerManagedKey(new Key(stack, 'TableKey') as IKey),
    })
    archive.capture(table, { since: '2026-01-01' })
    const roles = ofType(wholeTemplate(stack).toJSON().Resources as Resources, 'AWS::IAM::Role')
    const forwarder = JSON.stringify(roles.find(([id]) => id.includes('Forwarder')))
    expect(forwarder).toContain('dynamodb.eu-central-1')
    expect(forwarder).toContain('"kms:Decrypt"')
  })
})

describe('capture by kinesis', () => {
  it('writes microseconds into an on-demand stream that keeps a week', () => {
    kinesis.template.hasResourceProperties('AWS::Kinesis::Stream', {
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RetentionPeriodHours: 7 * 24,
      StreamEncryption: { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' },
    })
    kinesis.template.hasResourceProperties('AWS::DynamoDB::Table', {
      KinesisStreamSpecification: { StreamArn: Match.anyValue(), ApproximateCreationDateTimePrecision: 'MICROSECOND' },
    })
    const read = ofType(kinesis.resources, MAPPING).map(([, { Properties }]) =>
      JSON.stringify(Properties.EventSourceArn),
    )
    expect(read).toEqual([expect.stringContaining('LockWaiting')])
  })

  it('has Firehose read the stream before the table writes into it', () => {
    const [stream] = only(kinesis.resources, 'AWS::Kinesis::Stream')
    const [delivery] =
      ofType(kinesis.resources, FIREHOSE).find(
        ([, { Properties }]) => Properties.DeliveryStreamType === 'KinesisStreamAsSource',
      ) ?? []
    const [table] = only(kinesis.resources, 'AWS::DynamoDB::Table')
    expect(kinesis.resources[delivery as string]?.Properties.KinesisStreamSourceConfiguration.KinesisStreamARN).toEqual(
      { 'Fn::GetAtt': [stream, 'Arn'] },
    )
    expect(waitsFor(kinesis.resources, table, delivery as string)).toBe(true)
    expect(waitsFor(kinesis.resources, delivery as string, table)).toBe(false)
  })

  it('sets the precision of a TableV2 in its own region, wherever that stands among the replicas', () => {
    const { stack, archive } = archiveOf({})
    const table = new TableV2(stack, 'Orders', {
      tableName: 'Orders',
      partitionKey: { name: 'id', type: AttributeType.STRING },
      replicas: [{ region: 'eu-west-1' }],
      removalPolicy: RemovalPolicy.DESTROY,
    })
    archive.capture(table, { since: '2026-01-01', capture: 'kinesis' })
    table.addReplica({ region: 'us-east-1' })
    const specification = { StreamArn: Match.anyValue(), ApproximateCreationDateTimePrecision: 'MICROSECOND' }
    wholeTemplate(stack).hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [
        { Region: 'eu-west-1', KinesisStreamSpecification: Match.absent() },
        { Region: 'us-east-1', KinesisStreamSpecification: Match.absent() },
        { Region: 'eu-central-1', KinesisStreamSpecification: specification },
      ],
    })
  })

  it('attaches a table that the stack does not make by a custom resource, after Firehose', () => {
    const { resources } = three
    const [id, attached] = only(resources, 'Custom::ItemtrailKinesisDestination')
    expect(attached.Properties).toMatchObject({
      TableName: 'My.Events',
      ApproximateCreationDateTimePrecision: 'MICROSECOND',
    })
    const [delivery] =
      ofType(resources, FIREHOSE).find(
        ([, { Properties }]) => Properties.DeliveryStreamType === 'KinesisStreamAsSource',
      ) ?? []
    expect(waitsFor(resources, id, delivery as string)).toBe(true)
  })

  it('leaves a way in for replays, because Firehose takes none where it reads Kinesis', () => {
    const types = ofType(kinesis.resources, FIREHOSE).map(([, { Properties }]) => Properties.DeliveryStreamType)
    expect(types.sort()).toEqual(['DirectPut', 'KinesisStreamAsSource'])
  })

  it('captures a table of another stack without a circle', () => {
    const { app, stack, archive } = archiveOf({})
    const other = new Stack(app, 'Other', { env: ENVIRONMENT })
    archive.capture(TABLE_KINDS.Table(other, 'Orders'), { since: '2026-01-01', capture: 'kinesis' })
    archive.capture(TABLE_KINDS.Table(other, 'Returns'), { since: '2026-01-01' })
    wholeTemplate(stack).resourceCountIs('Custom::ItemtrailKinesisDestination', 1)
  })
})

describe.each([
  ['one table by streams', streams],
  ['one table by kinesis', kinesis],
  ['three tables', three],
])('delivery of %s', (_, { resources, archive }) => {
  const deliveries = ofType(resources, FIREHOSE).map(([, { Properties }]) => Properties)
  const destinations = deliveries.map(({ ExtendedS3DestinationConfiguration }) => ExtendedS3DestinationConfiguration)

  it('has one transform and one Glue table for each table, with its configuration beside the code', () => {
    const tables = archive.tables.map(captured => captured.configuration.table)
    const inGlue = ofType(resources, 'AWS::Glue::Table').map(([, { Properties }]) => Properties.TableInput.TableType)
    expect(inGlue.filter(type => type === 'EXTERNAL_TABLE')).toHaveLength(tables.length)
    expect(inGlue.filter(type => type === 'VIRTUAL_VIEW')).toHaveLength(tables.length)
    const transforms = ofType(resources, 'AWS::Lambda::Function').filter(([, { Properties }]) =>
      /turns stream records/.test(Properties.Description),
    )
    expect(transforms).toHaveLength(tables.length)
    expect(new Set(transforms.map(([, { Properties }]) => Properties.Code.S3Key)).size).toBe(tables.length)
    expect(deliveries).toHaveLength(
      tables.length + archive.tables.filter(captured => captured.changeStream !== undefined).length,
    )
  })

  it("partitions by the change's own date, where the desk puts it too", () => {
    for (const { Prefix } of destinations) {
      const [, table] = /^data\/([^/]+)\//.exec(Prefix) ?? []
      expect(Prefix).toBe(partitionPrefix({ table: table as string, date: '!{partitionKeyFromLambda:event_date}' }))
    }
    expect(destinations.map(destination => destination.DynamicPartitioningConfiguration.Enabled)).not.toContain(false)
  })

  it('sends what fails under refused/, apart from the data', () => {
    for (const { ErrorOutputPrefix, Prefix } of destinations) {
      expect(ErrorOutputPrefix).toBe(`refused/!{firehose:error-output-type}/${Prefix.split('/')[1]}/`)
    }
  })

  it('asks the transform with one megabyte at a time and encrypts with the key of the archive', () => {
    for (const { ProcessingConfiguration, EncryptionConfiguration } of destinations) {
      expect(ProcessingConfiguration.Processors).toEqual([
        {
          Type: 'Lambda',
          Parameters: expect.arrayContaining([
            { ParameterName: 'BufferSizeInMBs', ParameterValue: '1' },
            { ParameterName: 'BufferIntervalInSeconds', ParameterValue: '60' },
          ]),
        },
      ])
      expect(EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN).toEqual({
        'Fn::GetAtt': [expect.stringMatching(/Key/), 'Arn'],
      })
    }
  })

  it('logs to groups that are encrypted and forget after a year', () => {
    for (const [, { Properties }] of ofType(resources, 'AWS::Logs::LogGroup')) {
      expect(Properties).toMatchObject({ RetentionInDays: 365, KmsKeyId: expect.anything() })
    }
    for (const { CloudWatchLoggingOptions } of destinations) expect(CloudWatchLoggingOptions.Enabled).toBe(true)
  })

  it('runs every function of ours on Node 24 and arm64', () => {
    const own = ofType(resources, 'AWS::Lambda::Function')
    for (const [, { Properties }] of own)
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] })
  })

  it('adds columns to the Glue table before the function fills them', () => {
    for (const captured of archive.tables) {
      const own = prefixOf(Stack.of(archive), captured)
      const id = own + captured.getLogicalId(captured.auditTable.resource)
      const transform = own + captured.getLogicalId(captured.transform.function.node.defaultChild as never)
      expect(resources[transform]?.DependsOn).toContain(id)
    }
  })
})

describe('delivery', () => {
  it('gathers 128 MB or 900 seconds, or what is configured', () => {
    const hints = ({ resources }: { resources: Resources }) =>
      ofType(resources, FIREHOSE).map(
        ([, { Properties }]) => Properties.ExtendedS3DestinationConfiguration.BufferingHints,
      )
    expect(hints(streams)).toEqual([{ SizeInMBs: 128, IntervalInSeconds: 900 }])
    expect(
      hints(templateOf({ Orders: { ...ORDERS, buffer: { size: Size.mebibytes(64), interval: Duration.minutes(1) } } })),
    ).toEqual([{ SizeInMBs: 64, IntervalInSeconds: 60 }])
  })
})

describe('the Glue table', () => {
  const glueTable = (name: string) => {
    const tables = ofType(streams.resources, 'AWS::Glue::Table').map(([, { Properties }]) => Properties.TableInput)
    return tables.find(({ Name }) => Name === name)
  }
  const { StorageDescriptor, Parameters, PartitionKeys } = glueTable('orders_deliveries')

  it('has beside it a view by the plain name, which has its columns and reads nothing else', () => {
    const view = glueTable('orders')
    expect(view).toMatchObject({ TableType: 'VIRTUAL_VIEW', Parameters: { presto_view: 'true' } })
    const names = (columns: { Name: string }[]) => columns.map(({ Name }) => Name)
    expect(names(view.StorageDescriptor.Columns)).toEqual([...names(StorageDescriptor.Columns), 'event_date'])
    const [, encoded] = /^\/\* Presto View: (\S+) \*\/$/.exec(view.ViewOriginalText) ?? []
    const { originalSql } = JSON.parse(Buffer.from(`${encoded}`, 'base64').toString()) as { originalSql: string }
    expect(originalSql).toMatch(/\n {2}from "[^"]+"\."orders_deliveries"\n/)
    expect(originalSql).toMatch(/\nwhere delivery = 1$/)
  })

  it('has the columns that the desk writes, one by one', () => {
    const configuration = streams.archive.tables[0]?.configuration
    const desk = columnsOf(configuration as NonNullable<typeof configuration>)
    const columns = StorageDescriptor.Columns as { Name: string; Type: string }[]
    expect(columns).toHaveLength(desk.length)
    for (const [index, { name, type }] of desk.entries()) {
      expect(columns[index]).toMatchObject({ Name: name, Type: type })
      expect(PARQUET_TYPES[duckDbType(type)] ?? duckDbType(type).toLowerCase()).toBe(columns[index]?.Type)
    }
  })

  it('projects its partitions from the first day to tomorrow, so that no crawler is needed', () => {
    expect(PartitionKeys).toEqual([{ Name: 'event_date', Type: 'string', Comment: expect.any(String) }])
    expect(Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.event_date.type': 'date',
      'projection.event_date.format': 'yyyy-MM-dd',
      'projection.event_date.range': '2026-11-22,NOW+1DAYS',
      'projection.event_date.interval': '1',
      'projection.event_date.interval.unit': 'DAYS',
    })
    const bucket = { Ref: expect.stringMatching(/^AuditArchiveBucket/) }
    expect(Parameters['storage.location.template']['Fn::Join'][1]).toEqual([
      's3://',
      bucket,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Athena's placeholder
      '/data/Orders/event_date=${event_date}/',
    ])
    expect(StorageDescriptor.Location['Fn::Join'][1]).toEqual(['s3://', bucket, '/data/Orders/'])
  })
})

describe('questions', () => {
  const [queries] = nestedTemplates(streams.stack) as [Template]
  const named = Object.values(queries.findResources('AWS::Athena::NamedQuery')) as never as Resources[string][]
  const prepared = Object.values(
    queries.findResources('AWS::Athena::PreparedStatement'),
  ) as never as Resources[string][]

  it('are each there as a text and as a prepared statement, in the stack of each table', () => {
    expect(named).toHaveLength(prepared.length)
    expect(prepared.map(({ Properties }) => Properties.StatementName)).toContain('item_history_orders')
    expect(prepared.map(({ Properties }) => Properties.StatementName)).toContain('items_as_of_orders')
    expect(nestedTemplates(three.stack)).toHaveLength(3)
  })

  it('ask for as many values as the statement has, and no comment asks for one', () => {
    for (const { Properties } of named) {
      const comments = (Properties.QueryString as string).split('\n').filter(line => line.startsWith('--'))
      expect(comments.join('\n')).not.toContain('?')
      const values = /-- values, in this order: (.*)/.exec(Properties.QueryString)?.[1]?.split(', ') ?? []
      const own = (Properties.QueryString as string).split('\n').filter(line => !line.startsWith('--'))
      expect(own.join('\n').match(/\?/g) ?? []).toHaveLength(values.filter(Boolean).length)
      expect(Properties.Name.length).toBeLessThanOrEqual(128)
    }
  })

  it('go to a workgroup that enforces its settings, cancels what scans too much and encrypts answers', () => {
    streams.template.hasResourceProperties('AWS::Athena::WorkGroup', {
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
        PublishCloudWatchMetricsEnabled: true,
        BytesScannedCutoffPerQuery: 100 * 1024 ** 3,
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' } },
      },
    })
    const { template } = templateOf({ Orders: ORDERS }, { scanCutoff: Size.gibibytes(7) })
    template.hasResourceProperties('AWS::Athena::WorkGroup', {
      WorkGroupConfiguration: { BytesScannedCutoffPerQuery: 7 * 1024 ** 3 },
    })
  })

  it('and where to ask them are outputs', () => {
    for (const output of ['ArchiveBucket', 'DatabaseName', 'WorkgroupName'])
      expect(Object.keys(streams.template.findOutputs('*')).some(id => id.includes(output))).toBe(true)
  })
})
