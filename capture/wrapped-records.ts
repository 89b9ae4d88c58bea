import { isObject, type JsonObject, tryParseObject } from '../transform/json.js'
import {
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  endOfString,
  firstSolid,
  isBlank,
  OPEN,
  OPEN_LIST,
  QUOTE,
} from '../transform/json-bytes.js'

/** Members that hold a list of records: of what Lambda gets and `get-records` answers, and of a Firehose transform. */
const LISTS = ['"Records"', '"records"']

/**
 * The records that a document holds, each with the very bytes it had; undefined for a document that is one itself, and
 * where the whole is not well-formed. Records are held by
 *
 * - a JSON array, as EventBridge Pipes hand them over,
 * - `{"Records":[...]}`, an event of Lambda or the answer of `get-records`, of DynamoDB Streams or of Kinesis,
 * - `{"records":[...]}`, an event of a Firehose transform,
 * - `{"detail":{...}}`, an event of EventBridge.
 *
 * What Kinesis and Firehose carry is base64, and comes out as what was put in. An element that holds no record stays
 * what it is, to be refused and kept.
 */
export function recordsOf(document: Buffer): Iterable<Buffer> | undefined {
  const first = firstSolid(document, 0)
  if (document[first] === OPEN_LIST)
    return isOfObjects(document, first) ? heldBy(elementsOf(document, first)) : undefined
  for (const name of LISTS) {
    const array = document.includes(name) ? valueAfter(document, name, OPEN_LIST) : -1
    const end = array === -1 ? -1 : endOfArray(document, array)
    if (end === -1) continue
    const event = Buffer.concat([document.subarray(0, array + 1), document.subarray(end)])
    return tryParseObject(event.toString()) === undefined ? undefined : heldBy(elementsOf(document, array))
  }
  const detail = detailOf(document)
  return detail && [detail]
}

/**
 * True of a well-formed array of objects alone; any other is kept as it came. One element after the other, because an
 * array may have as many as bytes.
 */
function isOfObjects(document: Buffer, array: number): boolean {
  for (let start = array + 1; ; ) {
    const end = endOfElement(document, start)
    if (end === -1 || tryParseObject(document.toString('utf8', start, end)) === undefined) return false
    if (document[end] === CLOSE_LIST) return isBlank(document.subarray(end + 1))
    if (document[end] !== COMMA) return false
    start = end + 1
  }
}

function* heldBy(elements: Iterable<Buffer>): Generator<Buffer> {
  for (const element of elements) yield carriedBy(element) ?? detailOf(element) ?? element
}

/** What a record of Kinesis or Firehose carries; undefined for any other, and where that is no JSON object. */
function carriedBy(element: Buffer): Buffer | undefined {
  if (element.includes('"dynamodb"')) return undefined
  const record = tryParseObject(element.toString())
  const data = record && dataOf(record)
  if (typeof data !== 'string') return undefined
  const carried = Buffer.from(data, 'base64')
  return tryParseObject(carried.toString()) === undefined ? undefined : carried
}

/** Lambda's event of Kinesis, `aws kinesis get-records`, an event of a Firehose transform. */
function dataOf({ kinesis, Data, recordId, data }: JsonObject): unknown {
  if (isObject(kinesis)) return kinesis.data
  return Data ?? (recordId === undefined ? undefined : data)
}

/** The record of an event of EventBridge. */
function detailOf(document: Buffer): Buffer | undefined {
  if (!document.includes('"detail-type"')) return undefined
  const start = valueAfter(document, '"detail"', OPEN)
  if (start === -1 || valueAfter(document, '"detail-type"', QUOTE) === -1) return undefined
  if (tryParseObject(document.toString()) === undefined) return undefined
  const end = endOfElement(document, start)
  return end === -1 ? undefined : document.subarray(start, document.lastIndexOf(CLOSE, end - 1) + 1)
}

/** The elements of a well-formed array; one by one, because an event may have as many as bytes. */
function* elementsOf(document: Buffer, array: number): Generator<Buffer> {
  for (let start = array + 1; ; ) {
    const end = endOfElement(document, start)
    const element = document.subarray(start, end)
    if (!isBlank(element)) yield element
    if (document[end] === CLOSE_LIST) return
    start = end + 1
  }
}

function endOfArray(document: Buffer, array: number): number {
  let end = array
  do end = endOfElement(document, end + 1)
  while (document[end] === COMMA)
  return end
}

/** The comma or the closing bracket behind an element, or -1. */
function endOfElement(document: Buffer, start: number): number {
  let depth = 0
  for (let position = start; position < document.length; position++) {
    const byte = document[position] as number
    if (byte === QUOTE) position = endOfString(document, position)
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST || byte === CLOSE)) return position
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return -1
}

/** The very text of an object that a document holds under a top-level name; undefined where it holds none. */
export function objectText(document: Buffer, name: string): string | undefined {
  const start = valueAfter(document, JSON.stringify(name), OPEN)
  const end = start === -1 ? -1 : endOfElement(document, start)
  return end === -1 ? undefined : document.toString('utf8', start, end)
}

/** The position of the byte `opening` after a top-level name, in its quotes, or -1. */
function valueAfter(document: Buffer, name: string, opening: number): number {
  let depth = 0
  for (let position = 0; position < document.length; position++) {
    const byte = document[position] as number
    if (byte === QUOTE) {
      const end = endOfString(document, position)
      if (depth === 1 && document.toString('latin1', position, end + 1) === name) {
        const colon = firstSolid(document, end + 1)
        const value = firstSolid(document, colon + 1)
        if (document[colon] === COLON && document[value] === opening) return value
      }
      position = end
    } else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return -1
}
