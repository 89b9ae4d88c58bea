/**
 * JSON and DynamoDB JSON by their bytes. The bytes of a record are followed by a zero, which no JSON text has: every
 * loop here ends at it, so none can run past the record.
 */
import { canonicalString } from '../json.js'
import { BACKSLASH, CLOSE, CLOSE_LIST, COLON, COMMA, OPEN, OPEN_LIST, QUOTE } from '../json-bytes.js'
import type { AttributePath } from '../table-configuration.js'

const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const EQUALS = 0x3d
const DELETE = 0x7f

/** What a function answers for bytes that this path does not know, in the place of a position. */
export const NONE = -1

/** The closing quote of the text that begins at `at`, if the text is escaped as canonical JSON escapes it. */
export function endOfText(bytes: Uint8Array, at: number): number {
  let position = at
  for (;;) {
    const byte = bytes[position] as number
    if (byte === QUOTE) return position
    if (byte < 0x20) return NONE
    if (byte !== BACKSLASH) position++
    // a row's images are JSON inside a text: every quote is escaped there
    else if (bytes[position + 1] === QUOTE || bytes[position + 1] === BACKSLASH) position += 2
    else {
      position = afterEscape(bytes, position)
      if (position === NONE) return NONE
    }
  }
}

/** Objects and lists inside one another: far fewer than `json.ts` lets a whole document have. */
const MAX_DEPTH = 40

/**
 * The end of the object at `at`, of texts, objects and lists alone: `JSON.parse` decides whether they are in place. A
 * number beyond a double would become null where the record is rewritten, so numbers are not known here.
 */
export function endOfTexts(bytes: Uint8Array, at: number): number {
  let depth = 0
  for (let position = at; ; position++) {
    switch (bytes[position]) {
      case QUOTE:
        position = endOfText(bytes, position + 1)
        if (position === NONE) return NONE
        break
      case OPEN:
      case OPEN_LIST:
        if (++depth > MAX_DEPTH) return NONE
        break
      case CLOSE:
      case CLOSE_LIST:
        if (--depth === 0) return position + 1
        break
      case COLON:
      case COMMA:
        break
      default:
        return NONE
    }
  }
}

/** The closing quote of a text without escapes. */
export function endOfUnescaped(bytes: Uint8Array, at: number): number {
  let position = at
  for (;;) {
    const byte = bytes[position] as number
    if (byte === QUOTE) return position
    if (byte < 0x20 || byte === BACKSLASH) return NONE
    position++
  }
}

/** The closing quote of a field of the envelope: printable ASCII without escapes, not empty and not "-". */
export function endOfField(bytes: Uint8Array, at: number): number {
  let position = at
  for (;;) {
    const byte = bytes[position] as number
    if (byte === QUOTE) break
    if (byte < 0x20 || byte === BACKSLASH || byte >= DELETE) return NONE
    position++
  }
  return position === at || (position === at + 1 && bytes[at] === MINUS) ? NONE : position
}

const LETTERS_OF_ESCAPES = new Set([...'bfnrt'].map(letter => letter.charCodeAt(0)))

/**
 * RFC 8785, section 3.2.2.2: the two-letter escapes where there is one, else `\u00` and lower hex, for control
 * characters.
 */
function afterEscape(bytes: Uint8Array, backslash: number): number {
  const letter = bytes[backslash + 1] as number
  if (LETTERS_OF_ESCAPES.has(letter)) return backslash + 2
  if (letter !== 0x75 || bytes[backslash + 2] !== 0x30 || bytes[backslash + 3] !== 0x30) return NONE
  const high = bytes[backslash + 4]
  const low = bytes[backslash + 5] as number
  if (high === 0x31) return isDigit(low) || (low >= 0x61 && low <= 0x66) ? backslash + 6 : NONE
  // 8, 9, a, c and d have escapes of their own
  if (high !== 0x30) return NONE
  return (low >= 0x30 && low <= 0x37) || low === 0x62 || low === 0x65 || low === 0x66 ? backslash + 6 : NONE
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function afterDigits(bytes: Uint8Array, at: number): number {
  let position = at
  while (isDigit(bytes[position] as number)) position++
  return position
}

/** A numeral of no more characters has no more than DynamoDB's 38 digits. */
const MAX_NUMERAL_LENGTH = 38

/** The closing quote of a numeral that is spelt as `numeral.ts` spells it. */
export function endOfNumeral(bytes: Uint8Array, at: number): number {
  const whole = bytes[at] === MINUS ? at + 1 : at
  let position = afterDigits(bytes, whole)
  if (position === whole || (bytes[whole] === ZERO && position > whole + 1)) return NONE
  if (bytes[position] === POINT) {
    const fraction = position + 1
    position = afterDigits(bytes, fraction)
    if (position === fraction || bytes[position - 1] === ZERO) return NONE
  } else if (whole > at && bytes[whole] === ZERO) return NONE
  return bytes[position] === QUOTE && position - at <= MAX_NUMERAL_LENGTH ? position : NONE
}

/** The end of a JSON number without sign or exponent: times and sizes. */
export function endOfNumber(bytes: Uint8Array, at: number): number {
  const position = afterDigits(bytes, at)
  if (position === at || (bytes[at] === 0x30 && position > at + 1)) return NONE
  if (bytes[position] !== POINT) return position
  const end = afterDigits(bytes, position + 1)
  return end === position + 1 ? NONE : end
}

const NOT_BASE64 = 64
const BASE64 = new Uint8Array(256).fill(NOT_BASE64)
for (const [value, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  BASE64[letter.charCodeAt(0)] = value

/** The end of a base64 text that is the one base64 form of its bytes (RFC 4648, section 4), padding included. */
export function endOfBase64(bytes: Uint8Array, at: number): number {
  let position = at
  while ((BASE64[bytes[position] as number] as number) < NOT_BASE64) position++
  const last = BASE64[bytes[position - 1] as number] as number
  switch ((position - at) & 3) {
    case 0:
      return position
    case 2:
      return (last & 15) === 0 && bytes[position] === EQUALS && bytes[position + 1] === EQUALS ? position + 2 : NONE
    case 3:
      return (last & 3) === 0 && bytes[position] === EQUALS ? position + 1 : NONE
    default:
      return NONE
  }
}

/** Orders two ranges as canonical JSON orders names: by their bytes. */
export function compareRanges(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b)
  for (let i = 0; i < length; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number)
    if (difference !== 0) return difference
  }
  return aEnd - a - (bEnd - b)
}

/** The same for two ranges of canonically escaped text, by what their escapes stand for. */
export function compareEscaped(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b)
  // what is equal so far is escaped alike
  for (let i = 0; i < length; i += lengthOfUnit(bytes, a + i)) {
    const difference = unescaped(bytes, a + i) - unescaped(bytes, b + i)
    if (difference !== 0) return difference
  }
  return aEnd - a - (bEnd - b)
}

function lengthOfUnit(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== BACKSLASH) return 1
  return bytes[at + 1] === 0x75 ? 6 : 2
}

const UNESCAPED = new Map([...'bfnrt'].map((letter, i) => [letter.charCodeAt(0), '\b\f\n\r\t'.charCodeAt(i)]))

/** The byte at `at`, or the one that the escape there stands for. */
function unescaped(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number
  if (byte !== BACKSLASH) return byte
  const letter = bytes[at + 1] as number
  if (letter === 0x75) return Number.parseInt(String.fromCharCode(bytes[at + 4] as number, bytes[at + 5] as number), 16)
  return UNESCAPED.get(letter) ?? letter
}

/** Whether a range holds just these bytes. */
export function isRange(bytes: Uint8Array, from: number, to: number, expected: Uint8Array): boolean {
  if (to - from !== expected.length) return false
  for (let i = 0; i < expected.length; i++) {
    if (bytes[from + i] !== expected[i]) return false
  }
  return true
}

/** The position after these bytes, if they are there. */
export function after(bytes: Uint8Array, at: number, expected: Uint8Array): number {
  return isRange(bytes, at, at + expected.length, expected) ? at + expected.length : NONE
}

/** Writes the bytes of a base64 text, which was checked, to `target`; answers where they end. */
export function decodeBase64Bytes(bytes: Uint8Array, from: number, to: number, target: number): number {
  let end = target
  let held = 0
  let bits = 0
  for (let position = from; position < to && bytes[position] !== EQUALS; position++) {
    held = (held << 6) | (BASE64[bytes[position] as number] as number)
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[end++] = (held >> bits) & 0xff
  }
  return end
}

/**
 * A path by the bytes of its names as they stand in JSON; undefined where a name is no UTF-8 text and so no
 * attribute's.
 */
export function pathBytes(path: AttributePath): readonly Uint8Array[] | undefined {
  if (!path.every(name => name.isWellFormed())) return undefined
  return path.map(name => Buffer.from(canonicalString(name, 'path').slice(1, -1)))
}
