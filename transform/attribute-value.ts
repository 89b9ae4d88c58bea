import { canonicalString, compareUtf8, isObject, type JsonObject } from './json.js'
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
  if (!isObject(item)) throw new Refusal(`${path} is ${shown(item)}, expected an object of attributes`)
  const names = Object.keys(item).sort(compareUtf8)
  return new Map(names.map(name => [name, canonicalValue(item[name], `${path}.${name}`, binary)]))
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
  const types = Object.keys(value)
  if (types.length !== 1) throw new Refusal(`${path} has ${types.length} types ${shown(types)}, expected exactly one`)
  const type = types[0] as string
  return `{"${type}":${canonicalContent(type, value[type], path, binary)}}`
}

function canonicalContent(type: string, content: unknown, path: string, binary: BinaryEncoding): string {
  switch (type) {
    case 'S':
    case 'N':
    case 'B':
      return canonicalScalar(type, content, path, binary)
    case 'BOOL':
      if (typeof content !== 'boolean') throw new Refusal(`${path} has BOOL ${shown(content)}, expected true or false`)
      return content ? 'true' : 'false'
    case 'NULL':
      if (content !== true) throw new Refusal(`${path} has NULL ${shown(content)}, expected true`)
      return 'true'
    case 'M':
      return canonicalItem(canonicalAttributes(content, path, binary), path)
    case 'L': {
      const elements = listOf(content, type, path)
      return `[${elements.map((element, i) => canonicalValue(element, `${path}[${i}]`, binary)).join(',')}]`
    }
    case 'SS':
    case 'NS':
    case 'BS': {
      const elements = listOf(content, type, path)
      const scalars = elements.map((element, i) => canonicalScalar(type[0] as 'S', element, `${path}[${i}]`, binary))
      // the quotes and escapes would disturb the order, so sort what they stand for
      const sorted = scalars
        .map(text => ({ text, value: JSON.parse(text) as string }))
        .sort((a, b) => compareUtf8(a.value, b.value))
      return `[${sorted.map(element => element.text).join(',')}]`
    }
    default:
      throw new Refusal(`${path} has the unknown type ${shown(type)}, expected S, N, B, BOOL, NULL, M, L, SS, NS or BS`)
  }
}

function canonicalScalar(type: 'S' | 'N' | 'B', content: unknown, path: string, binary: BinaryEncoding): string {
  if (typeof content !== 'string') throw new Refusal(`${path} has ${type} ${shown(content)}, expected a string`)
  if (type === 'S') return canonicalString(content, path)
  if (type === 'N') {
    if (content.length > MAX_NUMERAL_LENGTH || !NUMERAL.test(content))
      throw new Refusal(`${path} has N ${shown(content)}, which is not a number`)
    return `"${content}"`
  }
  const once = binary === 'twice' ? decodeBase64(content, path).toString('latin1') : content
  decodeBase64(once, path)
  return `"${once}"`
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
  let value: JsonObject | undefined = JSON.parse(text) as JsonObject
  for (const name of path.slice(1)) {
    const map: unknown = value?.M
    value = isObject(map) && Object.hasOwn(map, name) ? (map[name] as JsonObject) : undefined
  }
  return value as AttributeValue | undefined
}
