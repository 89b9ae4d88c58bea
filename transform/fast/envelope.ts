import { BACKSLASH, CLOSE, CLOSE_LIST, COLON, COMMA, endOfString, OPEN, OPEN_LIST, QUOTE } from '../json-bytes.js'
import { isRange, NONE } from './bytes.js'

/** The field by which a change that has a time says whose it is. */
export type NamedOrigin = { readonly eventSourceARN: string } | { readonly table: string }

/**
 * What a change says of its origin, several times as fast as parsing all of it: values are passed over by their quotes
 * and brackets. Undefined where a parser might say something else (white space, a name with an escape or twice), or
 * where the change has no time.
 */
export function glanceAtEnvelope(bytes: Buffer): NamedOrigin | undefined {
  return glanceAtEnds(bytes) ?? glanceInside(bytes)
}

const ARN = Buffer.from(',"eventSourceARN":"')
const DYNAMODB = Buffer.from('"dynamodb":{"ApproximateCreationDateTime":')

/**
 * The two ends of a record as Lambda gets it say all: `"dynamodb"` begins with the time and has only texts before it,
 * and the stream's ARN is the last member of the whole object, because the brace behind it is the document's own.
 */
function glanceAtEnds(bytes: Buffer): NamedOrigin | undefined {
  const quote = bytes.length - 2
  if (bytes[0] !== OPEN || bytes[quote] !== QUOTE || bytes[quote + 1] !== CLOSE) return undefined
  const arn = bytes.lastIndexOf(QUOTE, quote - 1) + 1
  if (!isRange(bytes, arn - ARN.length, arn, ARN)) return undefined
  const time = afterTexts(bytes, 1)
  if (!isRange(bytes, time, time + DYNAMODB.length, DYNAMODB)) return undefined
  const text = bytes.toString('latin1', arn, quote)
  if (!isDigit(bytes[time + DYNAMODB.length] as number) || text.includes('\\')) return undefined
  return { eventSourceARN: text }
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

const ENVELOPE_NAMES = ['eventSourceARN', 'tableName', 'table', 'dynamodb'].map(name => Buffer.from(name))
const TIME = ['ApproximateCreationDateTime', 'SequenceNumber'].map(name => Buffer.from(name))

/** The same wherever the fields stand. */
function glanceInside(bytes: Buffer): NamedOrigin | undefined {
  const fields = membersOf(bytes, 0, ENVELOPE_NAMES)
  if (fields?.end !== bytes.length) return undefined
  const [arn, tableName, stated, dynamodb] = fields.values
  const name = textAt(bytes, arn ?? tableName ?? stated)
  const [time, sequence] = dynamodb === undefined ? [] : (membersOf(bytes, dynamodb, TIME)?.values ?? [])
  if (name === undefined || time === undefined || !isDigit(bytes[time] as number)) return undefined
  if (arn !== undefined) return { eventSourceARN: name }
  // a sequence number may be null
  return sequence === undefined ? { table: name } : undefined
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
    if (byte === QUOTE) position = endOfString(bytes, position)
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE)) return position
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return bytes.length
}

/** A text without escapes. */
function textAt(bytes: Buffer, at: number | undefined): string | undefined {
  const quote = at !== undefined && bytes[at] === QUOTE ? endOfName(bytes, at + 1) : NONE
  return at === undefined || quote === NONE ? undefined : bytes.toString('latin1', at + 1, quote)
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
