import { at, held, Refusal } from './refusal.js'

/** One JSON object found in a text, with the very text it was read from. */
export interface JsonDocument {
  readonly value: JsonObject
  readonly text: string
}
export type JsonObject = { readonly [name: string]: unknown }

/**
 * JSON levels a document may have. DynamoDB nests items 32 deep (developer guide, "Constraints"), which is two JSON
 * levels each and a few around them; the rest is room. A bound keeps every recursive reader off the end of the stack.
 */
const MAX_DEPTH = 256

/**
 * Characters a record may have. Two images of 400 KB take at most fourteen times as many as JSON (a list of BOOL), and
 * what is parsed takes some forty times the memory of its text.
 */
export const MAX_LENGTH = 16 * 1024 * 1024

/**
 * The JSON objects of a text: one, or several that are concatenated or separated by white space (a pack).
 * Throws a `Refusal` for anything else, and for what `JSON.parse` would take in silence: a name that occurs twice.
 */
export function splitDocuments(text: string): readonly JsonDocument[] {
  if (text.length > MAX_LENGTH)
    throw new Refusal(`record has ${text.length} characters, at most ${MAX_LENGTH} are those of a change`)
  const documents: JsonDocument[] = []
  let position = skipWhiteSpace(text, 0)
  while (position < text.length) {
    const { end, members } = measureObject(text, position)
    const slice = text.slice(position, end)
    documents.push({ value: parseObject(slice, members), text: slice })
    position = skipWhiteSpace(text, end)
  }
  if (documents.length === 0) throw new Refusal('record is empty, expected a JSON object')
  return documents
}

function parseObject(text: string, members: number): JsonObject {
  let value: JsonObject
  try {
    value = JSON.parse(text) as JsonObject
  } catch {
    // the engine's own message quotes the text and changes from version to version
    throw new Refusal('record is not JSON')
  }
  // each ":" outside a string belongs to one member, so a name that overwrote another leaves one member too few
  if (countMembers(value) !== members) throw new Refusal('record has a JSON object with the same name twice')
  return value
}

/** The end of the JSON object that starts at `start`, and how many members it holds at every depth. */
function measureObject(text: string, start: number): { readonly end: number; readonly members: number } {
  if (text[start] !== '{')
    throw new Refusal(`record is not a JSON object, it starts with ${held(text.slice(start, start + 20))}`)
  let depth = 0
  let members = 0
  for (let position = start; position < text.length; position++) {
    const unit = text.charCodeAt(position)
    if (unit === 0x22) position = endOfString(text, position)
    else if (unit === 0x3a) members++
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > MAX_DEPTH) throw new Refusal(`record nests deeper than ${MAX_DEPTH} JSON levels`)
    } else if ((unit === 0x7d || unit === 0x5d) && --depth === 0) return { end: position + 1, members }
  }
  throw new Refusal('record is truncated: its JSON object does not end')
}

/** The position of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (quote !== -1) {
    let backslashes = 0
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++
    if (backslashes % 2 === 0) return quote
    quote = text.indexOf('"', quote + 1)
  }
  throw new Refusal('record is truncated: a JSON string does not end')
}

function skipWhiteSpace(text: string, from: number): number {
  let position = from
  while (position < text.length && ' \n\r\t'.includes(text[position] as string)) position++
  return position
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (const element of value) members += countMembers(element)
    return members
  }
  // what JSON.parse makes inherits no names
  for (const name in value) members += 1 + countMembers((value as JsonObject)[name])
  return members
}

/** True for a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The names of an object in the order of the bytes of their UTF-8. */
export function sortedNames(object: JsonObject): readonly string[] {
  return Object.keys(object).sort(compareUtf8)
}

/**
 * The JSON object that a text is; undefined for any other text. Unlike `splitDocuments` it takes a name that occurs
 * twice.
 */
export function tryParseObject(text: string): JsonObject | undefined {
  if (text.length > LARGE && nestsTooDeep(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Characters from which on a text of nothing but brackets would take memory by the gigabyte to parse. */
const LARGE = 1024 * 1024

/** True for a text whose brackets, but for those in strings, are open deeper than a document may nest. */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  for (let position = 0; position < text.length; position++) {
    const unit = text.charCodeAt(position)
    if (inString && unit === 0x5c) position++
    else if (unit === 0x22) inString = !inString
    else if (inString) continue
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > MAX_DEPTH) return true
    } else if (unit === 0x7d || unit === 0x5d) depth--
  }
  return false
}

/** Orders two well-formed texts by the bytes of their UTF-8, which is the order of their code points. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rankOfCodeUnit(x) - rankOfCodeUnit(y)
  }
  return a.length - b.length
}

/** UTF-16 puts surrogates (code points above U+FFFF) before U+E000..U+FFFF, UTF-8 after them. */
function rankOfCodeUnit(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** What a JSON string may hold only escaped, or might not hold at all. */
const NOT_PLAIN = /[^ !#-[\]-~]/

/**
 * A JSON string with the escapes of RFC 8785, section 3.2.2.2, which are those of ECMAScript; refuses a lone surrogate.
 */
export function canonicalString(text: string, path: string): string {
  if (!NOT_PLAIN.test(text)) return `"${text}"`
  return JSON.stringify(wellFormed(text, path))
}

/** The text itself; refuses a lone surrogate. */
export function wellFormed(text: string, path: string): string {
  if (!text.isWellFormed()) throw new Refusal(`${at(path)} has a lone surrogate, which no UTF-8 text can carry`)
  return text
}

/** Plain JSON (not an item) in one form: no white space, names sorted by the bytes of their UTF-8. */
export function canonicalJson(value: unknown, path = 'value'): string {
  if (typeof value === 'string') return canonicalString(value, path)
  if (Array.isArray(value)) return `[${value.map((element, i) => canonicalJson(element, `${path}[${i}]`)).join(',')}]`
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new Refusal(`${at(path)} is ${held(value)}, expected a whole number that a double holds exactly`)
  if (!isObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).filter(name => value[name] !== undefined)
  const members = names
    .sort(compareUtf8)
    .map(name => `${canonicalString(name, path)}:${canonicalJson(value[name], `${path}.${name}`)}`)
  return `{${members.join(',')}}`
}
