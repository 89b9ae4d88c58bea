/** Changes by which a plan weighs: made up to a description, or taken from a sample and brought into one form. */
import type { AttributeValue, Item } from '../transform/attribute-value.js'
import { itemBytes } from './item-size.js'

/** A change with its key and images, whatever carried it. */
export interface SampleChange {
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE'
  readonly keys: Item
  readonly oldImage: Item | null
  readonly newImage: Item | null
}

/**
 * Changes that a sample has at most, and bytes of their images: enough for packs of every size, not for a machine's
 * memory.
 */
export const SAMPLE_CHANGES = 1000
export const SAMPLE_BYTES = 4 * 1024 ** 2

/** Made-up changes are much alike, so fewer do. */
const MADE_UP_CHANGES = 400

/** 2026-11-22T10:00:00Z: all of one day, because those that DynamoDB hands over together nearly always are. */
const SECONDS = 1_795_341_600

/** A change as Lambda gets it from DynamoDB Streams. */
export function streamsRecordOf({ eventName, keys, oldImage, newImage }: SampleChange, position: number): object {
  return {
    eventID: `${position}`.padStart(32, '7a9f'),
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: SECONDS,
      Keys: keys,
      ...(newImage !== null && { NewImage: newImage }),
      ...(oldImage !== null && { OldImage: oldImage }),
      SequenceNumber: `${position}`.padStart(28, '44215845'),
      SizeBytes: sizeOf(keys) + sizeOf(oldImage) + sizeOf(newImage),
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000',
  }
}

/** The same change as DynamoDB writes it into a Kinesis stream: no sequence, binary in base64 twice. */
export function kinesisDocumentOf({ eventName, keys, oldImage, newImage }: SampleChange, position: number): object {
  return {
    awsRegion: 'us-east-1',
    eventID: `d9428029-2c1b-4d5e-8f6a-${`${position}`.padStart(12, '7')}`,
    eventName,
    userIdentity: null,
    recordFormat: 'application/json',
    tableName: 'Orders',
    dynamodb: {
      ApproximateCreationDateTime: SECONDS * 1_000_000 + position,
      Keys: encodedAgain(keys),
      ...(newImage !== null && { NewImage: encodedAgain(newImage) }),
      ...(oldImage !== null && { OldImage: encodedAgain(oldImage) }),
      SizeBytes: sizeOf(keys) + sizeOf(oldImage) + sizeOf(newImage),
      ApproximateCreationDateTimePrecision: 'MICROSECOND',
    },
    eventSource: 'aws:dynamodb',
  }
}

/** The table that sample records are of. */
export const SAMPLE_TABLE = 'Orders'

function sizeOf(item: Item | null): number {
  return item === null ? 0 : itemBytes(item)
}

function encodedAgain(item: Item): Item {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, valueEncodedAgain(value)]))
}

function valueEncodedAgain(value: AttributeValue): AttributeValue {
  if ('B' in value) return { B: base64(value.B) }
  if ('BS' in value) return { BS: value.BS.map(base64) }
  if ('L' in value) return { L: value.L.map(valueEncodedAgain) }
  return 'M' in value ? { M: encodedAgain(value.M) } : value
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64')
}

export interface SampleShape {
  /** Bytes of an item, as DynamoDB counts them. */
  readonly itemBytes: number
  /** Shares of all changes, from 0 to 1; the rest are inserts. */
  readonly updates: number
  readonly deletes: number
}

/** Changes of items that have just the size, in the shares asked for; the same for the same shape. */
export function madeUpChanges({ itemBytes: bytes, updates, deletes }: SampleShape): readonly SampleChange[] {
  const count = Math.max(20, Math.min(MADE_UP_CHANGES, Math.floor(SAMPLE_BYTES / (2 * bytes))))
  return evenlySpread(count).map((place, position) => {
    const after = madeUpItem(bytes, position, 'PAID')
    const keys = { id: after.id as AttributeValue }
    if (place < deletes) return { eventName: 'REMOVE', keys, oldImage: after, newImage: null }
    if (place >= deletes + updates) return { eventName: 'INSERT', keys, oldImage: null, newImage: after }
    return { eventName: 'MODIFY', keys, oldImage: madeUpItem(bytes, position, 'OPEN'), newImage: after }
  })
}

/**
 * Places from 0 to 1, as many as asked for, equally far apart and in no order: shares taken by them are met without
 * chance.
 */
function evenlySpread(count: number): readonly number[] {
  const ratio = (position: number) => (position * 0.618033988749895) % 1
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => ratio(a) - ratio(b))
  const places = new Array<number>(count)
  for (const [rank, position] of order.entries()) places[position] = (rank + 0.5) / count
  return places
}

/**
 * Attributes of about this size, as far as there is room: how many there are decides how much longer than the item its
 * JSON is.
 */
const ATTRIBUTE_BYTES = 40
const MOST_ATTRIBUTES = 60

function madeUpItem(bytes: number, position: number, status: string): Item {
  const id = `ORD${position}`.padEnd(12, '0').slice(0, Math.max(1, Math.min(12, bytes - 2)))
  const item: Record<string, AttributeValue> = { id: { S: id } }
  if (bytes >= 40) item.status = { S: status }
  let left = bytes - itemBytes(item)
  const step = Math.max(ATTRIBUTE_BYTES, Math.ceil(left / MOST_ATTRIBUTES))
  for (let i = 0; left > 'field_10'.length; i++) {
    const name = `field_${10 + i}`
    // a rest that is too small for a name of its own goes to the last attribute
    const room = left < step + 2 * name.length ? left : step
    item[name] = { S: textOf(room - name.length, position * 97 + i) }
    left -= room
  }
  return item
}

const SAMPLE_WORDS =
  'order paid shipping address street customer invoice number delivered pending express carton Köln'.split(' ')

/** Words without an order that repeats soon. */
const TEXT = Array.from({ length: 1009 }, (_, i) => SAMPLE_WORDS[((i * i) % 1009) % SAMPLE_WORDS.length]).join(' ')

/** Text of so many bytes of UTF-8. */
function textOf(bytes: number, seed: number): string {
  const start = (seed * 31) % TEXT.length
  const long = TEXT.slice(start) + TEXT.repeat(Math.ceil(bytes / TEXT.length))
  const cut = Buffer.from(long.slice(0, bytes)).subarray(0, bytes).toString()
  // a letter that was cut in two left a byte, whose place a point takes
  return cut.endsWith('\ufffd') ? `${cut.slice(0, -1)}.` : cut
}
