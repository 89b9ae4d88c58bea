import { Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { EventSourceMapping, type IFunction, MetricType, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { GIVEN_UP_PREFIX, refusedPrefix } from '../transform/layout.js'
import { throughService } from './archive-key.js'
import { BundledFunction } from './bundled-function.js'
import type { SourceTable } from './source-table.js'

export interface ForwarderFunctionProps {
  readonly source: SourceTable
  /** The stream of the table. */
  readonly streamArn: string
  readonly deliveryStream: IDeliveryStream
  /** Keeps what could not be forwarded: records too large for Firehose, and batches that were given up. */
  readonly refusedBucket: Bucket
  readonly key: IKey
}

/** The function that carries a table's stream to Firehose, for capture `streams`. */
export class ForwarderFunction extends Construct {
  readonly function: IFunction
  readonly mapping: EventSourceMapping

  constructor(scope: Construct, id: string, props: ForwarderFunctionProps) {
    super(scope, id)
    const { source, streamArn, deliveryStream, refusedBucket, key } = props
    this.function = new BundledFunction(this, 'Function', {
      bundle: 'forwarder',
      description: `Itemtrail: carries the stream of ${source.name} to Firehose`,
      timeout: Duration.minutes(1),
      memoryMb: 512,
      key,
      environment: {
        ITEMTRAIL_TABLE: source.name,
        ITEMTRAIL_DELIVERY_STREAM: deliveryStream.deliveryStreamName,
        ITEMTRAIL_REFUSED_BUCKET: refusedBucket.bucketName,
      },
      statements: statementsOf(this, props),
    })
    this.mapping = new EventSourceMapping(this, 'Stream', {
      target: this.function,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 1000,
      maxBatchingWindow: Duration.seconds(5),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // no end of attempts before the stream itself forgets; only then Lambda gives a batch up, and writes it into the
      // bucket
      retryAttempts: -1,
      maxRecordAge: Duration.hours(24),
      // an S3 destination keeps the records; SQS would keep pointers into a stream that forgets
      onFailure: { bind: () => ({ destination: refusedBucket.bucketArn }) },
      supportS3OnFailureDestination: true,
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
    })
  }
}

function statementsOf(scope: Construct, props: ForwarderFunctionProps): PolicyStatement[] {
  const { source, streamArn, deliveryStream, refusedBucket, key } = props
  const statements = [
    new PolicyStatement({
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      resources: [streamArn],
    }),
    // as AWSLambdaDynamoDBExecutionRole has it: a list cannot be limited to one stream
    new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }),
    new PolicyStatement({ actions: ['firehose:PutRecordBatch'], resources: [deliveryStream.deliveryStreamArn] }),
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: [refusedBucket.bucketArn] }),
    new PolicyStatement({
      actions: ['s3:PutObject'],
      // Lambda itself names what it gives up: aws/lambda/<mapping>/<shard>/<date>/...
      resources: [
        refusedBucket.arnForObjects(`${refusedPrefix('oversize', source.name)}*`),
        refusedBucket.arnForObjects(`${GIVEN_UP_PREFIX}*`),
      ],
    }),
    throughService(scope, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]
  const { encryptionKey } = source.table
  if (encryptionKey === undefined) return statements
  return [...statements, throughService(scope, 'dynamodb', encryptionKey, ['kms:Decrypt'])]
}
