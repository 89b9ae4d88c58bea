import { canonicalString, compareUtf8, isObject, type JsonObject, sortedNames, wellFormed } from './json.js'
import { canonicalNumeral } from './numeral.js'
import { at, held, Refusal } from './refusal.js'

/** A DynamoDB attribute value in DynamoDB JSON: exactly one of the ten types. Numbers are text, binary is base64. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly M: Item }
  | { readonly L: readonly AttributeValue[] }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
export type Item = { readonly [attribute: string]: AttributeValue }

/**
 * How often binary values were base64-encoded on the way here: once in DynamoDB Streams, twice in Kinesis documents.
 */
export type BinaryEncoding = 'once' | 'twice'

/** An item, and the canonical texts of its attributes. */
export interface KnownItem {
  readonly item: Item
  readonly attributes: ReadonlyMap<string, string>
}

/**
 * An item's attributes, each as its canonical DynamoDB JSON text, in canonical order (names sorted by the bytes of
 * their UTF-8). Throws a `Refusal` that names the attribute for anything that is not an item. `known` is the item
 * before the change, where there is one: it has most values in common, and equal values have equal texts.
 */
export function canonicalAttributes(
  item: unknown,
  path: string,
  binary: BinaryEncoding,
  known?: KnownItem,
): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const name of attributeNames(item, path)) {
    const value = (item as JsonObject)[name]
    const text = known?.attributes.get(name)
    if (text !== undefined && isSame(value, known?.item[name])) attributes.set(name, text)
    else attributes.set(name, canonicalValue(value, `${path}.${name}`, binary))
  }
  return attributes
}

/** Whether two values that JSON.parse made are the same, down to the order of lists and sets. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isObject(a) || !isObject(b)) return Array.isArray(a) && Array.isArray(b) && isSameList(a, b)
  let names = 0
  for (const name in a) {
    if (!isSame(a[name], b[name])) return false
    names++
  }
  return names === Object.keys(b).length
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((element, i) => isSame(element, b[i]))
}

function attributeNames(item: unknown, path: string): readonly string[] {
  if (!isObject(item)) throw new Refusal(`${at(path)} is ${held(item)}, expected an object of attributes`)
  return sortedNames(item)
}

/** Canonical DynamoDB JSON of an item, from its canonical attributes in their order. */
export function canonicalItem(attributes: ReadonlyMap<string, string>, path: string): string {
  const members: string[] = []
  for (const [name, value] of attributes) members.push(`${canonicalString(name, path)}:${value}`)
  return `{${members.join(',')}}`
}

/** Canonical DynamoDB JSON of an item, or a key, whose binary is encoded once. Throws a `Refusal` for what is none. */
export function canonicalImage(item: Item): string {
  return canonicalItem(canonicalAttributes(item, 'item', 'once'), 'item')
}

/**
 * Canonical DynamoDB JSON of one attribute value: no white space, map keys and set elements sorted by the bytes of
 * their UTF-8, numbers in their one spelling, binary as base64 once, strings escaped as in RFC 8785. Throws a `Refusal`
 * for a value that is not exactly one of the ten types.
 */
export function canonicalValue(value: unknown, path: string, binary: BinaryEncoding): string {
  if (!isObject(value))
    throw new Refusal(`${at(path)} is ${held(value)}, expected one attribute value such as {"S":"..."}`)
  const type = typeOf(value, path)
  const content = value[type]
  switch (type) {
    case 'S':
      return `{"S":${canonicalString(textOf(content, type, path), path)}}`
    case 'N':
      return `{"N":"${numeralOf(content, path)}"}`
    case 'B':
      return `{"B":"${base64Of(content, path, binary)}"}`
    case 'M':
      return `{"M":${canonicalMap(content, path, binary)}}`
    case 'L':
      return `{"L":[${listOf(content, type, path)
        .map((element, i) => canonicalValue(element, `${path}[${i}]`, binary))
        .join(',')}]}`
    case 'SS':
    case 'NS':
    case 'BS':
      return `{"${type}":[${canonicalSet(listOf(content, type, path), type, path, binary)}]}`
    case 'BOOL':
      if (typeof content !== 'boolean')
        throw new Refusal(`${at(path)} has BOOL ${held(content)}, expected true or false`)
      return content ? '{"BOOL":true}' : '{"BOOL":false}'
    case 'NULL':
      if (content !== true) throw new Refusal(`${at(path)} has NULL ${held(content)}, expected true`)
      return '{"NULL":true}'
    default:
      throw new Refusal(
        `${at(path)} has the unknown type ${held(type)}, expected S, N, B, BOOL, NULL, M, L, SS, NS or BS`,
      )
  }
}

/** The only name of an attribute value. */
function typeOf(value: JsonObject, path: string): string {
  let type: string | undefined
  // what JSON.parse makes inherits no names
  for (const name in value) {
    if (type === undefined) type = name
    else type = ''
  }
  if (type === undefined || type === '') {
    const types = Object.keys(value)
    if (types.length !== 1)
      throw new Refusal(`${at(path)} has ${types.length} types ${held(types)}, expected exactly one`)
  }
  return type as string
}

function canonicalMap(content: unknown, path: string, binary: BinaryEncoding): string {
  const members = attributeNames(content, path).map(
    name =>
      `${canonicalString(name, path)}:${canonicalValue((content as JsonObject)[name], `${path}.${name}`, binary)}`,
  )
  return `{${members.join(',')}}`
}

/** The elements sorted by what they are: their quotes and escapes would disturb the order. */
function canonicalSet(
  elements: readonly unknown[],
  type: 'SS' | 'NS' | 'BS',
  path: string,
  binary: BinaryEncoding,
): string {
  const scalars: string[] = []
  for (const element of elements) scalars.push(elementOf(element, type, `${path}[${scalars.length}]`, binary))
  scalars.sort(compareUtf8)
  // numbers and base64 have nothing to escape
  if (type === 'SS') return scalars.map(scalar => canonicalString(scalar, path)).join(',')
  return scalars.map(scalar => `"${scalar}"`).join(',')
}

function elementOf(element: unknown, type: 'SS' | 'NS' | 'BS', path: string, binary: BinaryEncoding): string {
  if (type === 'SS') return wellFormed(textOf(element, 'S', path), path)
  return type === 'NS' ? numeralOf(element, path) : base64Of(element, path, binary)
}

function textOf(content: unknown, type: string, path: string): string {
  if (typeof content !== 'string') throw new Refusal(`${at(path)} has ${type} ${held(content)}, expected a string`)
  return content
}

function numeralOf(content: unknown, path: string): string {
  const text = textOf(content, 'N', path)
  const numeral = canonicalNumeral(text)
  if (numeral === undefined) throw new Refusal(`${at(path)} has N ${held(text)}, which is no number that DynamoDB has`)
  return numeral
}

/** Binary in base64 once; refuses any text that is not the one base64 form of its bytes. */
function base64Of(content: unknown, path: string, binary: BinaryEncoding): string {
  const text = checkBase64(textOf(content, 'B', path), path)
  return binary === 'once' ? text : checkBase64(Buffer.from(text, 'base64').toString('latin1'), path)
}

/**
 * RFC 4648, section 4, for texts of whole quartets: the bits that a last letter before the padding has to spare are
 * zero.
 */
const BASE64 = /^[A-Za-z0-9+/]*([AQgw]==|[AEIMQUYcgkosw048]=)?$/

function checkBase64(text: string, path: string): string {
  if (text.length % 4 !== 0 || !BASE64.test(text))
    throw new Refusal(`${at(path)} has B ${held(text)}, which is not base64`)
  return text
}

function listOf(content: unknown, type: string, path: string): readonly unknown[] {
  if (!Array.isArray(content)) throw new Refusal(`${at(path)} has ${type} ${held(content)}, expected an array`)
  return content
}

/** Reads canonical DynamoDB JSON of an item back, as the archive holds it. */
export function parseItem(text: string): Item {
  return JSON.parse(text) as Item
}

/** The value at a path of attribute names inside an item, or undefined. Only maps are walked into. */
export function valueAt(item: Item, path: readonly string[]): AttributeValue | undefined {
  let map: Item | undefined = item
  let value: AttributeValue | undefined
  for (const name of path) {
    if (map === undefined || !Object.hasOwn(map, name)) return undefined
    value = map[name] as AttributeValue
    map = 'M' in value ? value.M : undefined
  }
  return value
}

/**
 * An attribute value from its canonical JSON. Most that are asked for are short texts and numbers, which need no
 * parser.
 */
export function parseValue(text: string): AttributeValue {
  const type = text.slice(0, 6)
  if ((type === '{"S":"' || type === '{"N":"') && !text.includes('\\')) {
    const content = text.slice(6, -2)
    return type === '{"S":"' ? { S: content } : { N: content }
  }
  return JSON.parse(text) as AttributeValue
}
