/**
 * Builders of records, configurations and events: a test names the fields that matter, the rest is the same everywhere.
 */
import type { AttributeValue, DynamoDBRecord, FirehoseTransformationEvent } from 'aws-lambda'
import { FACT_VERSION, type GapFact } from '../transform/fact.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** An item in DynamoDB JSON, binary in base64 once. */
export type Attributes = { [name: string]: AttributeValue }

/** Who a record says made the change; DynamoDB writes it for its own deletes by time to live only. */
export interface Identity {
  readonly type: string
  readonly principalId: string
}

export const TIME_TO_LIVE: Identity = { type: 'Service', principalId: 'dynamodb.amazonaws.com' }

/** When the built changes were made: 2026-11-22T10:00:00Z, in seconds since 1970. */
export const CHANGED_AT = Date.UTC(2026, 10, 22, 10) / 1000

/** When the delivery stream took the built records in, in milliseconds since 1970. */
export const ARRIVAL = CHANGED_AT * 1000 + 2250

export const STREAM_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000'

const KEYS: Attributes = { order_id: { S: 'ORD12345' } }

type StreamFields = NonNullable<DynamoDBRecord['dynamodb']>

/**
 * Fields of a stream record, those of its envelope and those under `dynamodb` side by side; `undefined` leaves one out.
 */
export type StreamsFields = Omit<DynamoDBRecord, 'dynamodb' | 'userIdentity'> &
  StreamFields & { userIdentity?: Identity | null | undefined }

/**
 * A DynamoDB Streams record as Lambda gets it. The event name follows from the images given; without any it is the
 * INSERT of a pending order.
 */
export function streamsRecord(fields: StreamsFields = {}): DynamoDBRecord {
  const { eventID, eventName, eventVersion, eventSource, awsRegion, eventSourceARN, userIdentity, ...dynamodb } = {
    eventID: 'b8a3cf4e6b7d4c7f9d1f0a2b3c4d5e6f',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: STREAM_ARN,
    ApproximateCreationDateTime: CHANGED_AT,
    SequenceNumber: '4421584500000000017450439091',
    SizeBytes: 59,
    StreamViewType: 'NEW_AND_OLD_IMAGES' as const,
    ...commonFields(fields),
    ...fields,
  }
  return {
    eventID,
    eventName,
    eventVersion,
    eventSource,
    awsRegion,
    userIdentity,
    dynamodb,
    eventSourceARN,
  }
}

/** A document of Kinesis Data Streams for DynamoDB. */
export interface KinesisDocument {
  readonly awsRegion: string | undefined
  readonly eventID: string | undefined
  readonly eventName: StreamsFields['eventName']
  readonly userIdentity: Identity | null
  readonly recordFormat: 'application/json'
  readonly tableName: string | undefined
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number | undefined
    readonly ApproximateCreationDateTimePrecision?: 'MILLISECOND' | 'MICROSECOND' | undefined
    readonly Keys: Attributes | undefined
    readonly NewImage: Attributes | undefined
    readonly OldImage: Attributes | undefined
    readonly SizeBytes: number | undefined
  }
  readonly eventSource: 'aws:dynamodb'
}

/** Fields of a Kinesis document, those of its envelope and those under `dynamodb` side by side. */
export interface KinesisFields {
  readonly awsRegion?: string | undefined
  readonly eventID?: string | undefined
  readonly eventName?: StreamsFields['eventName']
  readonly userIdentity?: Identity | null
  readonly tableName?: string | undefined
  readonly ApproximateCreationDateTime?: number | undefined
  readonly ApproximateCreationDateTimePrecision?: 'MILLISECOND' | 'MICROSECOND' | undefined
  readonly Keys?: Attributes | undefined
  readonly NewImage?: Attributes | undefined
  readonly OldImage?: Attributes | undefined
  readonly SizeBytes?: number | undefined
}

/**
 * A document of Kinesis Data Streams for DynamoDB. The images are given as for `streamsRecord`: this encodes their
 * binary values a second time, as DynamoDB does there.
 */
export function kinesisDocument(fields: KinesisFields = {}): KinesisDocument {
  const { awsRegion, eventID, eventName, userIdentity, tableName, Keys, NewImage, OldImage, ...dynamodb } = {
    awsRegion: 'us-east-1',
    eventID: 'd9428029-2c1b-4d5e-8f6a-7b8c9d0e1f2a',
    userIdentity: null,
    tableName: 'Orders',
    ApproximateCreationDateTime: CHANGED_AT * 1000 + 370,
    SizeBytes: 60,
    ...commonFields(fields),
    ...fields,
  }
  return {
    awsRegion,
    eventID,
    eventName,
    userIdentity,
    recordFormat: 'application/json',
    tableName,
    dynamodb: {
      ...dynamodb,
      Keys: Keys && encodedAgain(Keys),
      NewImage: NewImage && encodedAgain(NewImage),
      OldImage: OldImage && encodedAgain(OldImage),
    },
    eventSource: 'aws:dynamodb',
  }
}

/** The keys, an image and the event name, as far as the given fields leave them open. */
function commonFields(fields: Pick<StreamsFields, 'Keys' | 'NewImage' | 'OldImage' | 'eventName'>) {
  const Keys = fields.Keys ?? KEYS
  if ('NewImage' in fields || 'OldImage' in fields || 'eventName' in fields) {
    const eventName: StreamsFields['eventName'] =
      fields.OldImage === undefined ? 'INSERT' : fields.NewImage === undefined ? 'REMOVE' : 'MODIFY'
    return { Keys, eventName }
  }
  return { Keys, eventName: 'INSERT' as const, NewImage: { ...Keys, status: { S: 'PENDING' } } }
}

function encodedAgain(item: Attributes): Attributes {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, valueEncodedAgain(value)]))
}

function valueEncodedAgain(value: AttributeValue): AttributeValue {
  if (value.B !== undefined) return { B: base64(value.B) }
  if (value.BS !== undefined) return { BS: value.BS.map(base64) }
  if (value.L !== undefined) return { L: value.L.map(valueEncodedAgain) }
  return value.M === undefined ? value : { M: encodedAgain(value.M) }
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64')
}

/** A baseline document: an item found when the archive began. */
export interface BaselineDocument {
  readonly itemtrail: string
  readonly table: string
  readonly source: string
  readonly time: string
  readonly Item: Attributes
}

export function baselineDocument(fields: Partial<BaselineDocument> = {}): BaselineDocument {
  return {
    itemtrail: 'baseline/v1',
    table: 'Orders',
    source: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/export/01695353076000-a1b2c3d4',
    time: '2026-11-22T09:59:00Z',
    Item: { ...KEYS, status: { S: 'PENDING' } },
    ...fields,
  }
}

/** The configuration of table Orders with key `order_id`, normalised as the transform reads it. */
export function tableConfiguration(fields: Partial<TableConfiguration> = {}): TableConfiguration {
  return {
    table: 'Orders',
    capture: 'streams',
    keys: [{ column: 'order_id', attribute: 'order_id' }],
    columns: [],
    ...fields,
  }
}

/** What a Firehose record may hold in a test: a document, a text such as a pack of them, or raw bytes. */
export type RecordContent = object | string | Uint8Array

/** The bytes of a Firehose record. */
export function recordBytes(content: RecordContent): Uint8Array {
  if (content instanceof Uint8Array) return content
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
}

/** A Firehose transformation event; ids count from 0, each record arrived at `ARRIVAL`. */
export function firehoseEvent(records: readonly RecordContent[]): FirehoseTransformationEvent {
  return {
    invocationId: '0a4c2b3e-1f5d-4b6c-8d7e-9f0a1b2c3d4e',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:123456789012:deliverystream/itemtrail-orders',
    region: 'us-east-1',
    records: records.map((content, i) => ({
      recordId: `4954698617${String(i).padStart(46, '0')}`,
      approximateArrivalTimestamp: ARRIVAL,
      data: Buffer.from(recordBytes(content)).toString('base64'),
    })),
  }
}

/** What says that changes of a table are lost, of a time up to `to`. */
export function gapFact(fields: Pick<GapFact, 'recorded' | 'to'> & Partial<GapFact>): GapFact {
  return {
    version: FACT_VERSION,
    kind: 'gap',
    table: 'Orders',
    source: 'stream',
    shard: 'shard',
    after: null,
    before: null,
    from: null,
    reason: 'test',
    ...fields,
  }
}
