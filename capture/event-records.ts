import { tryParseObject } from '../transform/json.js'
import { CLOSE, CLOSE_LIST, COMMA, endOfString, isBlank, OPEN, OPEN_LIST, QUOTE } from '../transform/json-bytes.js'

/**
 * The records of an event `{"Records":[...]}`, each with the very bytes it had; undefined for any other document, and
 * where the array, or the event around it, is not well-formed.
 */
export function recordsOf(document: Buffer): Iterable<Buffer> | undefined {
  const array = document.includes('"Records"') ? findRecords(document) : -1
  const end = array === -1 ? -1 : endOfArray(document, array)
  if (end === -1) return undefined
  const event = Buffer.concat([document.subarray(0, array + 1), document.subarray(end)])
  return tryParseObject(event.toString()) === undefined ? undefined : elementsOf(document, array)
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
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) return position
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return -1
}

/** The position of the "[" after a top-level name "Records", or -1. */
function findRecords(document: Buffer): number {
  let depth = 0
  for (let position = 0; position < document.length; position++) {
    const byte = document[position] as number
    if (byte === QUOTE) {
      const end = endOfString(document, position)
      const array =
        depth === 1 && document.toString('latin1', position, end + 1) === '"Records"'
          ? arrayAfter(document, end + 1)
          : -1
      if (array !== -1) return array
      position = end
    } else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--
  }
  return -1
}

function arrayAfter(document: Buffer, from: number): number {
  const match = /^\s*:\s*\[/.exec(document.toString('latin1', from, from + 64))
  return match === null ? -1 : from + match[0].length - 1
}
