import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import {
  EnableLogging,
  DeliveryStream as FirehoseStream,
  type IDeliveryStream,
  KinesisStreamSource,
  LambdaFunctionProcessor,
  OpenXJsonInputFormat,
  ParquetOutputFormat,
  S3Bucket,
  SchemaConfiguration,
  StreamEncryption,
} from 'aws-cdk-lib/aws-kinesisfirehose'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { TRANSFORM_BUFFER, TRANSFORM_RETRIES } from '../aws/firehose-buffer.js'
import { PARTITION_COLUMN, partitionPrefix, REFUSED_PREFIX } from '../transform/layout.js'
import { acknowledgeKinesisSource } from './acknowledged-findings.js'
import type { AuditTable } from './audit-table.js'
import { WriterRole } from './writer-role.js'

export interface DeliveryStreamProps {
  /** The DynamoDB table. */
  readonly table: string
  readonly auditTable: AuditTable
  readonly transform: IFunction
  readonly bucket: Bucket
  readonly key: IKey
  /** What is gathered for one object, whichever comes first. */
  readonly buffer: { readonly mb: number; readonly seconds: number }
  /** The Kinesis stream that it reads. @default - records are put into it */
  readonly source?: IStream
}

/**
 * Firehose for one table: gathers records, has them transformed, converts them to Parquet by the Glue table and writes
 * them under the day of the change itself. What cannot be transformed or converted goes under `refused/`, with its
 * original bytes.
 */
export class DeliveryStream extends Construct {
  readonly stream: IDeliveryStream
  /** The only role that may write the table's data. */
  readonly writer: WriterRole

  constructor(scope: Construct, id: string, props: DeliveryStreamProps) {
    super(scope, id)
    const { key, source } = props
    const logGroup = new LogGroup(this, 'Log', {
      encryptionKey: key,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.writer = new WriterRole(this, 'Writer', { ...props, logGroup })
    // the L2's grants would let it delete objects and set locks, so what it may do is listed in the role
    const role = this.writer.withoutPolicyUpdates()
    this.stream = new FirehoseStream(this, 'Stream', {
      role,
      ...(source === undefined
        ? { encryption: StreamEncryption.awsOwnedKey() }
        : { source: new KinesisStreamSource(source) }),
      destination: destinationOf(props, role, logGroup),
    })
    if (source !== undefined) acknowledgeKinesisSource(this)
  }
}

function destinationOf(props: DeliveryStreamProps, role: IRole, logGroup: LogGroup): S3Bucket {
  const { table, auditTable, transform, bucket, key, buffer } = props
  return new S3Bucket(bucket as IBucket, {
    role,
    encryptionKey: key,
    dataOutputPrefix: partitionPrefix({ table, date: `!{partitionKeyFromLambda:${PARTITION_COLUMN}}` }),
    errorOutputPrefix: `${REFUSED_PREFIX}!{firehose:error-output-type}/${table}/`,
    bufferingSize: Size.mebibytes(buffer.mb),
    bufferingInterval: Duration.seconds(buffer.seconds),
    dynamicPartitioning: { enabled: true },
    processors: [
      new LambdaFunctionProcessor(transform, {
        // both or none: Firehose takes one without the other, and then reports a drift for ever
        bufferSize: Size.mebibytes(TRANSFORM_BUFFER.mb),
        bufferInterval: Duration.seconds(TRANSFORM_BUFFER.seconds),
        retries: TRANSFORM_RETRIES,
      }),
    ],
    dataFormatConversion: {
      schemaConfiguration: SchemaConfiguration.fromCfnTable(auditTable.resource),
      inputFormat: new OpenXJsonInputFormat(),
      outputFormat: new ParquetOutputFormat(),
    },
    loggingConfig: new EnableLogging(logGroup),
  })
}
