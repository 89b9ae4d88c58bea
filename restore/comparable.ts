import { hash } from 'node:crypto'
import { canonicalAttributes, canonicalItem, type Item, parseItem } from '../transform/attribute-value.js'
import { hasSealed } from '../transform/sealed-field.js'

/** An item's attributes as canonical text: what DynamoDB calls equal has one such form, whoever wrote it. */
export function comparableAttributes(item: Item): ReadonlyMap<string, string> {
  return canonicalAttributes(item, 'item', 'once')
}

/** SHA-256 of an item's comparable form, from its canonical DynamoDB JSON. */
export function comparableHash(image: string): string {
  return hash('sha256', canonicalItem(comparableAttributes(parseItem(image)), 'item'))
}

/** True where two items, in canonical DynamoDB JSON, are the same to DynamoDB. */
export function isSameItem(a: string, b: string): boolean {
  return a === b || comparableHash(a) === comparableHash(b)
}

/** True of an image in which ciphertext stands for a value: what is written into a table must be what was there. */
export function holdsSealed(image: string | null): boolean {
  return image !== null && hasSealed({ M: parseItem(image) })
}
