import { CustomResource, Duration, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { CfnGlobalTable, type CfnTable } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct, type IConstruct } from 'constructs'
import { KINESIS_RETENTION_MS } from '../aws/kinesis-retention.js'
import { ConfigurationError } from '../config/problems.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { BundledFunction } from './bundled-function.js'
import type { SourceTable } from './source-table.js'

const PRECISION = 'MICROSECOND'

/**
 * The stream that DynamoDB keeps of a table, for capture `streams`. Throws where there is none, or where it does not
 * keep the images that the configuration asks for.
 */
export function requireStream(scope: Construct, source: SourceTable, configuration: TableConfiguration): string {
  const { name, streamArn, viewType, resource, table } = source
  const fail = (problem: string) => new ConfigurationError(scope.node.path, [problem])
  if (streamArn === undefined) {
    const remedy =
      resource === undefined
        ? `expected tables.${name}.streamArn in the configuration, or a table from fromTableAttributes with its tableStreamArn`
        : 'expected stream (Table) or dynamoStream (TableV2) NEW_AND_OLD_IMAGES on it, or capture "kinesis"'
    throw fail(`table ${table.node.path} has no stream, which capture "streams" reads, ${remedy}`)
  }
  const wanted = [
    ...configuration.columns.map(({ column }) => `old_${column} and new_${column}`),
    ...(configuration.lifecycle === undefined ? [] : ['lifecycle']),
  ]
  if (viewType !== undefined && viewType !== 'NEW_AND_OLD_IMAGES' && wanted.length > 0) {
    throw fail(`table ${table.node.path} streams ${viewType}, expected NEW_AND_OLD_IMAGES to fill ${wanted.join(', ')}`)
  }
  if (viewType === 'KEYS_ONLY' && configuration.actor !== undefined) {
    throw fail(`table ${table.node.path} streams KEYS_ONLY, expected an image to find the actor in`)
  }
  return streamArn
}

export interface ChangeStreamProps {
  readonly source: SourceTable
  /** Encrypts the log of the function that attaches an imported table. */
  readonly key: IKey
}

/** The Kinesis stream that a table writes its changes into, for capture `kinesis`. */
export class ChangeStream extends Construct {
  readonly stream: Stream
  private readonly source: SourceTable
  private readonly key: IKey

  constructor(scope: Construct, id: string, props: ChangeStreamProps) {
    super(scope, id)
    this.source = props.source
    this.key = props.key
    this.stream = new Stream(this, 'Stream', {
      streamMode: StreamMode.ON_DEMAND,
      retentionPeriod: Duration.millis(KINESIS_RETENTION_MS),
      encryption: StreamEncryption.MANAGED,
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }

  /**
   * Has the table write into the stream, but not before `reader` is there: Firehose begins at the stream's end and
   * misses what was before.
   */
  startAfter(reader: IConstruct): void {
    const { resource } = this.source
    // a table of another stack than the archive's would need that one to depend on this, which may depend on it already
    if (resource !== undefined && Stack.of(resource) === Stack.of(this).nestedStackParent) {
      streamFrom(resource, this.stream.streamArn)
      resource.node.addDependency(reader)
    } else {
      this.attachByRequest().node.addDependency(reader)
    }
  }

  /** CloudFormation cannot change a table that it did not make, so a function asks DynamoDB. */
  private attachByRequest(): CustomResource {
    const { name } = this.source
    const { streamArn } = this.stream
    const attach = new BundledFunction(this, 'Attach', {
      bundle: 'kinesis-destination',
      description: `Itemtrail: has ${name} write its changes into a Kinesis stream`,
      timeout: Duration.minutes(10),
      memoryMb: 256,
      key: this.key,
      statements: this.attaching(),
    })
    return new CustomResource(this, 'Destination', {
      resourceType: 'Custom::ItemtrailKinesisDestination',
      serviceToken: attach.functionArn,
      properties: { TableName: name, StreamArn: streamArn, ApproximateCreationDateTimePrecision: PRECISION },
    })
  }

  private attaching(): PolicyStatement[] {
    const role = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      resource: 'role/aws-service-role/kinesisreplication.dynamodb.amazonaws.com',
      resourceName: 'AWSServiceRoleForDynamoDBKinesisDataStreamsReplication',
    })
    return [
      new PolicyStatement({
        actions: [
          'dynamodb:DescribeKinesisStreamingDestination',
          'dynamodb:DisableKinesisStreamingDestination',
          'dynamodb:EnableKinesisStreamingDestination',
          'dynamodb:UpdateKinesisStreamingDestination',
        ],
        resources: [this.source.table.tableArn],
      }),
      // DynamoDB checks these of whoever asks (developer guide, "Using IAM policies for Kinesis Data Streams")
      new PolicyStatement({
        actions: ['kinesis:DescribeStream', 'kinesis:PutRecords'],
        resources: [this.stream.streamArn],
      }),
      new PolicyStatement({ actions: ['kinesis:ListStreams'], resources: ['*'] }),
      new PolicyStatement({
        actions: ['iam:CreateServiceLinkedRole'],
        resources: [role],
        conditions: { StringEquals: { 'iam:AWSServiceName': 'kinesisreplication.dynamodb.amazonaws.com' } },
      }),
    ]
  }
}

/** Sets the destination with its precision, which neither kind of table offers together with TableV2's replicas. */
function streamFrom(resource: CfnTable | CfnGlobalTable, streamArn: string): void {
  const kinesisStreamSpecification = { streamArn, approximateCreationDateTimePrecision: PRECISION }
  if (!(resource instanceof CfnGlobalTable)) {
    resource.kinesisStreamSpecification = kinesisStreamSpecification
    return
  }
  // the replica of the table's own region is not always the first, and others may still be added
  const { replicas } = resource
  const { region } = Stack.of(resource)
  resource.replicas = Lazy.uncachedAny({
    produce: context => {
      const own = JSON.stringify(context.resolve(region))
      return (context.resolve(replicas) as CfnGlobalTable.ReplicaSpecificationProperty[]).map(replica =>
        JSON.stringify(replica.region) === own ? { ...replica, kinesisStreamSpecification } : replica,
      )
    },
  })
}
