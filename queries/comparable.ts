import { hash } from 'node:crypto'
import {
  type AttributeValue,
  canonicalAttributes,
  canonicalItem,
  type Item,
  parseItem,
} from '../transform/attribute-value.js'

/**
 * An item's attributes as canonical text, numbers written in one way: what has one such form, DynamoDB calls equal. For
 * an item that DynamoDB itself gave out it is the canonical form.
 */
export function comparableAttributes(item: Item): ReadonlyMap<string, string> {
  return canonicalAttributes(plainItem(item), 'item', 'once')
}

/** SHA-256 of an item's comparable form, from its canonical DynamoDB JSON. */
export function comparableHash(image: string): string {
  return hash('sha256', canonicalItem(comparableAttributes(parseItem(image)), 'item'))
}

/** True where two items, in canonical DynamoDB JSON, are the same to DynamoDB. */
export function isSameItem(a: string, b: string): boolean {
  return a === b || comparableHash(a) === comparableHash(b)
}

function plainItem(item: Item): Item {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]))
}

function plainValue(value: AttributeValue): AttributeValue {
  if ('N' in value) return { N: plainNumeral(value.N) }
  if ('NS' in value) return { NS: value.NS.map(plainNumeral) }
  if ('L' in value) return { L: value.L.map(plainValue) }
  return 'M' in value ? { M: plainItem(value.M) } : value
}

/** A number as DynamoDB writes it: no exponent, no zeros that say nothing, no sign of zero. */
function plainNumeral(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text)
  if (match === null) return text
  const [, sign, whole, fraction = '', exponent = '0'] = match as unknown as [string, string, string, string?, string?]
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  const before = digits.slice(0, Math.max(0, point)).padEnd(point, '0').replace(/^0+/, '') || '0'
  const after = `${'0'.repeat(Math.max(0, -point))}${digits.slice(Math.max(0, point))}`.replace(/0+$/, '')
  const plain = after === '' ? before : `${before}.${after}`
  return plain === '0' ? plain : `${sign}${plain}`
}
