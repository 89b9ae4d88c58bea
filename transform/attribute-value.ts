import { canonicalString, compareUtf8, isObject, type JsonObject, sortedNames, wellFormed } from './json.js'
import { Refusal, shown } from './refusal.js'

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

/** How often binary values were base64-encoded on the way here: once in DynamoDB Streams, twice in Kinesis documents. */
export type BinaryEncoding = 'once' | 'twice'

/** A decimal numeral as DynamoDB writes it; kept as text, so nothing is rounded. */
const NUMERAL = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

/** 1E-130 with 38 digits, written without an exponent, has 171 characters; a longer text is no number of DynamoDB's. */
const MAX_NUMERAL_LENGTH = 200

/**
 * An item's attributes, each as its canonical DynamoDB JSON text, in canonical order (names sorted by the bytes of their
 * UTF-8). Throws a `Refusal` that names the attribute for anything that is not an item.
 */
export function canonicalAttributes(item: unknown, path: string, binary: BinaryEncoding): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const name of attributeNames(item, path))
    attributes.set(name, canonicalValue((item as JsonObject)[name], `${path}.${name}`, binary))
  return attributes
}

function attributeNames(item: unknown, path: string): readonly string[] {
  if (!isObject(item)) throw new Refusal(`${path} is ${shown(item)}, expected an object of attributes`)
  return sortedNames(item)
}

/** Canonical DynamoDB JSON of an item, from its canonical attributes in their order. */
export function canonicalItem(attributes: ReadonlyMap<string, string>, path: string): string {
  const members: string[] = []
  for (const [name, value] of attributes) members.push(`${canonicalString(name, path)}:${value}`)
  return `{${members.join(',')}}`
}

/**
 * Canonical DynamoDB JSON of one attribute value: no white space, map keys and set elements sorted by the bytes of their
 * UTF-8, numbers as the text that arrived, binary as base64 once, strings escaped as in RFC 8785.
 * Throws a `Refusal` for a value that is not exactly one of the ten types.
 */
export function canonicalValue(value: unknown, path: string, binary: BinaryEncoding): string {
  if (!isObject(value))
    throw new Refusal(`${path} is ${shown(value)}, expected one attribute value such as {"S":"..."}`)
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
      if (typeof content !== 'boolean') throw new Refusal(`${path} has BOOL ${shown(content)}, expected true or false`)
      return content ? '{"BOOL":true}' : '{"BOOL":false}'
    case 'NULL':
      if (content !== true) throw new Refusal(`${path} has NULL ${shown(content)}, expected true`)
      return '{"NULL":true}'
    default:
      throw new Refusal(`${path} has the unknown type ${shown(type)}, expected S, N, B, BOOL, NULL, M, L, SS, NS or BS`)
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
    if (types.length !== 1) throw new Refusal(`${path} has ${types.length} types ${shown(types)}, expected exactly one`)
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
  const scalars = elements.map((element, i) => {
    const place = `${path}[${i}]`
    if (type === 'SS') return wellFormed(textOf(element, 'S', place), place)
    return type === 'NS' ? numeralOf(element, place) : base64Of(element, place, binary)
  })
  return scalars
    .sort(compareUtf8)
    .map(scalar => canonicalString(scalar, path))
    .join(',')
}

function textOf(content: unknown, type: string, path: string): string {
  if (typeof content !== 'string') throw new Refusal(`${path} has ${type} ${shown(content)}, expected a string`)
  return content
}

function numeralOf(content: unknown, path: string): string {
  const text = textOf(content, 'N', path)
  if (text.length > MAX_NUMERAL_LENGTH || !NUMERAL.test(text))
    throw new Refusal(`${path} has N ${shown(text)}, which is not a number`)
  return text
}

/** Binary in base64 once. */
function base64Of(content: unknown, path: string, binary: BinaryEncoding): string {
  const text = textOf(content, 'B', path)
  const once = binary === 'twice' ? decodeBase64(text, path).toString('latin1') : text
  decodeBase64(once, path)
  return once
}

/** The bytes of a base64 text; refuses any text that is not the one base64 form of its bytes (RFC 4648, section 4). */
function decodeBase64(text: string, path: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new Refusal(`${path} has B ${shown(text)}, which is not base64`)
  return bytes
}

function listOf(content: unknown, type: string, path: string): readonly unknown[] {
  if (!Array.isArray(content)) throw new Refusal(`${path} has ${type} ${shown(content)}, expected an array`)
  return content
}

/** Reads canonical DynamoDB JSON of an item back, as the archive holds it. */
export function parseItem(text: string): Item {
  return JSON.parse(text) as Item
}

/** The value at a path of attribute names inside an item, or undefined. Only maps are walked into. */
export function valueAt(attributes: ReadonlyMap<string, string>, path: readonly string[]): AttributeValue | undefined {
  const text = attributes.get(path[0] as string)
  if (text === undefined) return undefined
  let value: AttributeValue | undefined = parseValue(text)
  for (const name of path.slice(1)) {
    const map: Item = value !== undefined && 'M' in value ? value.M : {}
    value = Object.hasOwn(map, name) ? map[name] : undefined
  }
  return value
}

/** An attribute value from its canonical JSON. Most that are asked for are short texts and numbers, which need no parser. */
export function parseValue(text: string): AttributeValue {
  const type = text.slice(0, 6)
  if ((type === '{"S":"' || type === '{"N":"') && !text.includes('\\')) {
    const content = text.slice(6, -2)
    return type === '{"S":"' ? { S: content } : { N: content }
  }
  return JSON.parse(text) as AttributeValue
}
