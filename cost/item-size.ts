import type { AttributeValue, Item } from '../transform/attribute-value.js'

/**
 * Bytes of an item as DynamoDB counts them, by which it bills and limits (developer guide, "DynamoDB item sizes and
 * formats"). The size of a number is approximate there, too: one byte for two significant digits, and one.
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0)
}

/** What a list or a map takes besides its members, and each of them. */
const CONTAINER_BYTES = 3
const MEMBER_BYTES = 1

function valueBytes(value: AttributeValue): number {
  if ('S' in value) return Buffer.byteLength(value.S)
  if ('N' in value) return numberBytes(value.N)
  if ('B' in value) return Buffer.byteLength(value.B, 'base64')
  if ('BOOL' in value || 'NULL' in value) return 1
  if ('SS' in value) return sum(value.SS.map(text => Buffer.byteLength(text)))
  if ('NS' in value) return sum(value.NS.map(numberBytes))
  if ('BS' in value) return sum(value.BS.map(text => Buffer.byteLength(text, 'base64')))
  if ('M' in value) return CONTAINER_BYTES + itemBytes(value.M) + MEMBER_BYTES * Object.keys(value.M).length
  return CONTAINER_BYTES + sum(value.L.map(element => MEMBER_BYTES + valueBytes(element)))
}

function numberBytes(text: string): number {
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '').length
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
