import type { BinaryEncoding } from './attribute-value.js'
import { type Instant, parseInstant, type TimePrecision } from './instant.js'
import { canonicalJson, isObject, type JsonObject, tryParseObject } from './json.js'
import { held, Refusal, shown } from './refusal.js'
import { TABLE_NAME } from './table-names.js'

export type EventName = 'INSERT' | 'MODIFY' | 'REMOVE' | 'BASELINE'
export type Capture = 'streams' | 'kinesis' | 'baseline'
export type ViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES'

/** A record as it arrived, its envelope read and checked; keys and images are not looked into yet. */
export interface StreamRecord {
  readonly capture: Capture
  readonly table: string
  readonly region: string | null
  /** The stream's ARN; `region/table` of a Kinesis document, which carries none; a baseline's own source. */
  readonly source: string
  readonly eventId: string | null
  readonly eventName: EventName
  /** Null where the record has no time: the arrival stands in. */
  readonly time: Instant | null
  readonly sequence: string | null
  readonly viewType: ViewType | null
  /** Undefined in a baseline: the keys are taken from the item by the table's configuration. */
  readonly keys: unknown
  readonly oldImage: unknown
  readonly newImage: unknown
  readonly binary: BinaryEncoding
  /** Canonical JSON, as recorded. */
  readonly userIdentity: string | null
  readonly sizeBytes: number | null
}

/**
 * The same of a document's bytes, for who only looks: undefined for what the transform would refuse by its envelope.
 */
export function tryReadStreamRecord(document: Uint8Array): StreamRecord | undefined {
  const value = tryParseObject(Buffer.from(document).toString())
  try {
    return value === undefined ? undefined : readStreamRecord(value)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

const EVENT_NAMES = ['INSERT', 'MODIFY', 'REMOVE']
const VIEW_TYPES = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']

/**
 * Reads one document as a DynamoDB Streams record (as Lambda gets it), a Kinesis Data Streams for DynamoDB document, or
 * a baseline document, told apart by their fields. Throws a `Refusal` that names the field for anything else.
 */
export function readStreamRecord(document: JsonObject): StreamRecord {
  if (document.itemtrail !== undefined) return readBaseline(document)
  const { dynamodb } = document
  if (!isObject(dynamodb)) throw new Refusal(`record is not a change: it ${whatItIs(document)}`)
  const streams = (document.eventSourceARN ?? dynamodb.SequenceNumber ?? null) !== null
  return streams ? readStreamsRecord(document, dynamodb) : readKinesisDocument(document, dynamodb)
}

/** What people have beside changes, and what takes it. */
function whatItIs(document: JsonObject): string {
  if (isObject(document.DDBStreamBatchInfo) || isObject(document.KinesisBatchInfo))
    return 'is what Lambda kept of a batch that it gave up, which "itemtrail redrive" reads'
  if (isObject(document.Item)) return 'is an item of an export, which "itemtrail baseline --export" reads'
  if (Array.isArray(document.Items)) return 'is the answer to a scan or a query; "itemtrail baseline" reads a table'
  if (document.eventSource === 'dynamodb.amazonaws.com') return 'is an event of CloudTrail, which holds no images'
  return 'has neither "dynamodb" nor "itemtrail"'
}

const NO_TABLE = 'record names no table: it has neither "eventSourceARN" nor "tableName"'

/** Under any other name than the stream's ARN it would be another row than the one that Lambda's record makes. */
const NO_STREAM = 'record names no stream: it has a "SequenceNumber" and no "eventSourceARN"'

function readStreamsRecord(document: JsonObject, dynamodb: JsonObject): StreamRecord {
  const arn = optionalText(document.eventSourceARN, 'eventSourceARN')
  const named = optionalText(document.tableName, 'tableName')
  if (arn === null) throw new Refusal(named === null ? NO_TABLE : NO_STREAM)
  const stream = streamOf(arn)
  const { table } = stream
  if (named !== null && named !== table)
    throw new Refusal(`tableName is ${shown(named)}, eventSourceARN is of table ${shown(table)}`)
  const region = optionalText(document.awsRegion, 'awsRegion') ?? stream.region
  const content = readContent(document, dynamodb)
  return changeRecord(content, {
    capture: 'streams',
    table: tableName(table),
    region,
    source: arn,
    time: readTime(dynamodb.ApproximateCreationDateTime, 's'),
    sequence: readSequence(dynamodb.SequenceNumber),
    binary: 'once',
  })
}

function readKinesisDocument(document: JsonObject, dynamodb: JsonObject): StreamRecord {
  const table = optionalText(document.tableName, 'tableName')
  if (table === null) throw new Refusal(NO_TABLE)
  const region = optionalText(document.awsRegion, 'awsRegion')
  const micros = dynamodb.ApproximateCreationDateTimePrecision === 'MICROSECOND'
  const content = readContent(document, dynamodb)
  return changeRecord(content, {
    capture: 'kinesis',
    table: tableName(table),
    region,
    source: `${region ?? '-'}/${table}`,
    time: readTime(dynamodb.ApproximateCreationDateTime, micros ? 'us' : 'ms'),
    sequence: null,
    binary: 'twice',
  })
}

/** What the two captures tell in ways of their own. */
type Origin = Pick<StreamRecord, 'capture' | 'table' | 'region' | 'source' | 'time' | 'sequence' | 'binary'>

/** What they tell alike. */
type Content = Omit<StreamRecord, keyof Origin>

/** Field by field: spreading both took longer than reading them. */
function changeRecord(content: Content, origin: Origin): StreamRecord {
  return {
    capture: origin.capture,
    table: origin.table,
    region: origin.region,
    source: origin.source,
    eventId: content.eventId,
    eventName: content.eventName,
    time: origin.time,
    sequence: origin.sequence,
    viewType: content.viewType,
    keys: content.keys,
    oldImage: content.oldImage,
    newImage: content.newImage,
    binary: origin.binary,
    userIdentity: content.userIdentity,
    sizeBytes: content.sizeBytes,
  }
}

function readContent(document: JsonObject, dynamodb: JsonObject): Content {
  const { eventName } = document
  if (!EVENT_NAMES.includes(eventName as string)) {
    throw new Refusal(`eventName is ${held(eventName)}, expected INSERT, MODIFY or REMOVE`)
  }
  const viewType = dynamodb.StreamViewType ?? null
  if (viewType !== null && !VIEW_TYPES.includes(viewType as string)) {
    throw new Refusal(`StreamViewType is ${held(viewType)}, expected ${VIEW_TYPES.join(', ')}`)
  }
  if (!isObject(dynamodb.Keys) || Object.keys(dynamodb.Keys).length === 0) {
    throw new Refusal(`Keys is ${held(dynamodb.Keys)}, expected the item's key attributes`)
  }
  const identity = document.userIdentity ?? null
  return {
    eventId: optionalText(document.eventID, 'eventID'),
    eventName: eventName as EventName,
    viewType: viewType as ViewType | null,
    keys: dynamodb.Keys,
    oldImage: dynamodb.OldImage ?? undefined,
    newImage: dynamodb.NewImage ?? undefined,
    userIdentity: identity === null ? null : canonicalJson(identity, 'userIdentity'),
    sizeBytes: readSize(dynamodb.SizeBytes),
  }
}

/** `{"itemtrail":"baseline/v1", table, source, time, Item}`: an item found when the archive began. */
function readBaseline(document: JsonObject): StreamRecord {
  if (document.itemtrail !== 'baseline/v1')
    throw new Refusal(`itemtrail is ${held(document.itemtrail)}, expected "baseline/v1"`)
  const source = requiredText(document.source, 'source')
  const time = typeof document.time === 'string' ? parseInstant(document.time) : undefined
  if (time === undefined) throw new Refusal(`time is ${held(document.time)}, expected ISO 8601 with a zone`)
  if (!isObject(document.Item)) throw new Refusal(`Item is ${held(document.Item)}, expected an item in DynamoDB JSON`)
  return {
    capture: 'baseline',
    table: tableName(requiredText(document.table, 'table')),
    region: regionOfSource(source),
    source,
    eventId: source,
    eventName: 'BASELINE',
    time: checkTime(atLeastAs(time.us, 's')),
    sequence: null,
    viewType: null,
    keys: undefined,
    oldImage: undefined,
    newImage: document.Item,
    binary: 'once',
    userIdentity: null,
    sizeBytes: null,
  }
}

/** The region in a baseline's source, null where it names none. Throws a `Refusal` for one that no row can hold. */
export function regionOfSource(source: string): string | null {
  return optionalText(/^arn:[^:]*:dynamodb:([^:]+):/.exec(source)?.[1], 'region in source')
}

interface Stream {
  readonly table: string
  readonly region: string
}

/** The stream asked for last: one record after another is of the same. */
let last: { readonly arn: string; readonly stream: Stream } | undefined

/** `parseStreamArn`, remembered. */
export function streamOf(arn: string): Stream {
  if (last?.arn !== arn) last = { arn, stream: parseStreamArn(arn) }
  return last.stream
}

/**
 * Table and region of `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`. Throws a `Refusal` for any
 * other text.
 */
function parseStreamArn(arn: string): Stream {
  const match = /^arn:[^:]*:dynamodb:([^:]*):[^:]*:table\/([^/]+)\/stream\/.+$/.exec(arn)
  if (match === null) {
    throw new Refusal(
      `eventSourceARN is ${held(arn)}, expected arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`,
    )
  }
  return { region: requiredText(match[1], 'region in eventSourceARN'), table: match[2] as string }
}

/** A name that DynamoDB takes for a table, and that is safe in a path. */
export function isTableName(name: string): boolean {
  return TABLE_NAME.test(name) && !/^\.+$/.test(name)
}

function tableName(name: string): string {
  if (!isTableName(name)) {
    throw new Refusal(`table is ${shown(name)}, expected 3 to 255 letters, digits, "_", "-" or "."`)
  }
  return name
}

/** What a record's time counts. */
export type TimeUnit = Exclude<TimePrecision, 'arrival'>

const UNITS: Record<TimeUnit, number> = { s: 1_000_000, ms: 1000, us: 1 }

/**
 * A record's time. Numbers count since 1970 in `unit`; a fraction, which some emulators send, makes it more precise.
 * Texts are the ISO 8601 that the AWS CLI prints. It is as precise as `unit`, or as its value needs, however many zeros
 * somebody printed: a change has one time whichever way it came. Throws a `Refusal` for anything else.
 */
export function readTime(value: unknown, unit: TimeUnit): Instant | null {
  if (value === undefined || value === null) return null
  const us =
    typeof value === 'number'
      ? // exact for whole numbers; a double holds seconds with six digits of fraction closer than half a microsecond
        Math.round(value * UNITS[unit])
      : typeof value === 'string'
        ? parseInstant(value)?.us
        : undefined
  if (us === undefined) {
    throw new Refusal(`ApproximateCreationDateTime is ${held(value)}, expected a number or ISO 8601 with a zone`)
  }
  return checkTime(atLeastAs(us, unit))
}

/** A time as precise as `unit`, or as its value needs. */
function atLeastAs(us: number, unit: TimeUnit): Instant {
  if (us % UNITS[unit] === 0) return { us, precision: unit }
  return { us, precision: us % UNITS.ms === 0 ? 'ms' : 'us' }
}

/** Refuses a time before 1970, and one whose microseconds since then are no safe integer. */
function checkTime(instant: Instant): Instant {
  if (instant.us >= 0 && instant.us <= Number.MAX_SAFE_INTEGER) return instant
  throw new Refusal(`time is ${held(instant.us)} microseconds since 1970, expected 0 to ${Number.MAX_SAFE_INTEGER}`)
}

/** A SequenceNumber has up to 40 digits (DynamoDB Streams API, StreamRecord); zero-padded it sorts as text. */
function readSequence(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string' || !/^\d{1,40}$/.test(value)) {
    throw new Refusal(`SequenceNumber is ${held(value)}, expected a string of 1 to 40 digits`)
  }
  return value.padStart(40, '0')
}

function readSize(value: unknown): number | null {
  if (value === undefined || value === null) return null
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Refusal(`SizeBytes is ${held(value)}, expected a whole number`)
  return value as number
}

function requiredText(value: unknown, field: string): string {
  const text = optionalText(value, field)
  if (text === null) throw new Refusal(`${field} is missing`)
  return text
}

/** The control characters of Unicode; its property Cc says the same and takes longer. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x1f\x7f-\x9f]/

/**
 * A plain text field, null where it is absent. It will stand on a line of its own in the leaf that `row_hash` is taken
 * over, where `-` means absent, so neither control characters nor `-` itself can be let in.
 */
function optionalText(value: unknown, field: string): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw new Refusal(`${field} is ${held(value)}, expected a string`)
  if (value === '' || value === '-' || CONTROL.test(value) || !value.isWellFormed()) {
    throw new Refusal(`${field} is ${held(value)}, expected text without control characters, and not "-"`)
  }
  return value
}
