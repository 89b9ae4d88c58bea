import {
  BACKSLASH,
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  isRange,
  NONE,
  OPEN,
  OPEN_LIST,
  QUOTE,
} from '../transform/fast/bytes.js'
import { isObject, type JsonObject, MAX_LENGTH, tryParseObject } from '../transform/json.js'
import { TABLE_NAME } from '../transform/table-names.js'

/** What a desk has to know of a record before its table's transform judges it. */
export interface Envelope {
  /** False for bytes that are no JSON object. */
  readonly isObject: boolean
  /** The table that the record names. */
  readonly table: string | undefined
  /** False for a change that does not say when it was made. */
  readonly hasTime: boolean
  /** True for a change that does not say of which table it is, or, being of a stream, of which stream. */
  readonly isUnnamed: boolean
}

/** Looks at a record's outermost fields; judging it is the transform's business. */
export function readEnvelope(document: Uint8Array): Envelope {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength)
  return glanceAtEnds(bytes) ?? glanceAt(bytes) ?? parseEnvelope(bytes)
}

const ARN = Buffer.from(',"eventSourceARN":"')
const DYNAMODB = Buffer.from('"dynamodb":{"ApproximateCreationDateTime":')

/**
 * The two ends of a record as Lambda gets it say all: `"dynamodb"` begins with the time and has only texts before it, and
 * the stream's ARN is the last member of the whole object, because the brace behind it is the document's own.
 */
function glanceAtEnds(bytes: Buffer): Envelope | undefined {
  const quote = bytes.length - 2
  if (bytes[0] !== OPEN || bytes[quote] !== QUOTE || bytes[quote + 1] !== CLOSE) return undefined
  const arn = bytes.lastIndexOf(QUOTE, quote - 1) + 1
  if (!isRange(bytes, arn - ARN.length, arn, ARN)) return undefined
  const time = afterTexts(bytes, 1)
  if (!isRange(bytes, time, time + DYNAMODB.length, DYNAMODB)) return undefined
  const text = bytes.toString('latin1', arn, quote)
  if (!isDigit(bytes[time + DYNAMODB.length] as number) || text.includes('\\')) return undefined
  return { isObject: true, table: tableOf({ eventSourceARN: text }), hasTime: true, isUnnamed: false }
}

/** Where the members end whose values are texts without escapes. */
function afterTexts(bytes: Buffer, at: number): number {
  for (let position = at; ; ) {
    const name = bytes[position] === QUOTE ? endOfName(bytes, position + 1) : NONE
    if (name === NONE || bytes[name + 1] !== COLON || bytes[name + 2] !== QUOTE) return position
    const value = endOfName(bytes, name + 3)
    if (value === NONE || bytes[value + 1] !== COMMA) return position
    position = value + 2
  }
}

function parseEnvelope(bytes: Buffer): Envelope {
  const fields = bytes.length > MAX_LENGTH ? undefined : tryParseObject(bytes.toString())
  const { dynamodb } = fields ?? {}
  const table = tableOf(fields ?? {})
  const change = isObject(dynamodb) ? dynamodb : undefined
  const hasArn = (fields?.eventSourceARN ?? null) !== null
  const isOfStream = (change?.SequenceNumber ?? null) !== null
  return {
    isObject: fields !== undefined,
    table,
    hasTime: change === undefined || (change.ApproximateCreationDateTime ?? null) !== null,
    isUnnamed: change !== undefined && !hasArn && (isOfStream || table === undefined),
  }
}

function tableOf({ eventSourceARN: arn, tableName, table }: JsonObject): string | undefined {
  const name = typeof arn === 'string' ? /:table\/([^/]+)\//.exec(arn)?.[1] : (tableName ?? table)
  return typeof name === 'string' && TABLE_NAME.test(name) ? name : undefined
}

const NAMES = ['eventSourceARN', 'tableName', 'table', 'dynamodb'].map(name => Buffer.from(name))
const TIME = ['ApproximateCreationDateTime', 'SequenceNumber'].map(name => Buffer.from(name))

/**
 * The same from the bytes, several times as fast as parsing them all: values are passed over by their quotes and brackets.
 * Undefined where a parser might say something else: white space, a name with an escape or twice, a record without a time.
 */
function glanceAt(bytes: Buffer): Envelope | undefined {
  const fields = membersOf(bytes, 0, NAMES)
  if (fields?.end !== bytes.length) return undefined
  const [arn, tableName, stated, dynamodb] = fields.values
  const name = textAt(bytes, arn ?? tableName ?? stated)
  const [time, sequence] = dynamodb === undefined ? [] : (membersOf(bytes, dynamodb, TIME)?.values ?? [])
  if (name === undefined || time === undefined || !isDigit(bytes[time] as number)) return undefined
  const table = tableOf(arn === undefined ? { table: name } : { eventSourceARN: name })
  // a sequence number may be null
  if (arn === undefined && (sequence !== undefined || table === undefined)) return undefined
  return { isObject: true, table, hasTime: true, isUnnamed: false }
}

interface Members {
  /** Where the object ends. */
  readonly end: number
  /** Where the value of each name begins, in the order of the names. */
  readonly values: readonly (number | undefined)[]
}

/** Where the values of these names are in the object that opens at `at`. */
function membersOf(bytes: Buffer, at: number, names: readonly Uint8Array[]): Members | undefined {
  const values: (number | undefined)[] = names.map(() => undefined)
  if (bytes[at] !== OPEN) return undefined
  for (let position = at + 1; ; position++) {
    const quote = bytes[position] === QUOTE ? endOfName(bytes, position + 1) : NONE
    if (quote === NONE || bytes[quote + 1] !== COLON) return undefined
    for (let i = 0; i < names.length; i++) {
      if (!isRange(bytes, position + 1, quote, names[i] as Uint8Array)) continue
      if (values[i] !== undefined) return undefined
      values[i] = quote + 2
    }
    position = endOfValue(bytes, quote + 2)
    if (bytes[position] === CLOSE) return { end: position + 1, values }
    if (bytes[position] !== COMMA) return undefined
  }
}

/** The closing quote of a name without escapes. */
function endOfName(bytes: Buffer, at: number): number {
  for (let position = at; position < bytes.length; position++) {
    const byte = bytes[position] as number
    if (byte === QUOTE) return position
    if (byte === BACKSLASH || byte < 0x20) return NONE
  }
  return NONE
}

/** The comma or bracket behind the value at `at`. */
function endOfValue(bytes: Buffer, at: number): number {
  let depth = 0
  for (let position = at; position < bytes.length; position++) {
    const byte = bytes[position] as number
    if (byte === QUOTE) position = endOfString(bytes, position + 1)
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE)) return position
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return bytes.length
}

/** The closing quote of the string whose content begins at `at`. */
function endOfString(bytes: Buffer, at: number): number {
  let position = at
  for (; position < bytes.length && bytes[position] !== QUOTE; position++) {
    if (bytes[position] === BACKSLASH) position++
  }
  return position
}

/** A text without escapes. */
function textAt(bytes: Buffer, at: number | undefined): string | undefined {
  const quote = at !== undefined && bytes[at] === QUOTE ? endOfName(bytes, at + 1) : NONE
  return at === undefined || quote === NONE ? undefined : bytes.toString('latin1', at + 1, quote)
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
