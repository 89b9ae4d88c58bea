import {
  type AttributeValue,
  canonicalAttributes,
  canonicalItem,
  type Item,
  parseItem,
  parseValue,
} from '../transform/attribute-value.js'
import { readSealed, type SealedField } from '../transform/sealed-field.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import { openText } from './field.js'
import type { SubjectKeys } from './subject-keys.js'

/** What becomes of a sealed value: another value, or undefined where it stays as it is. */
export type Unsealing = (field: SealedField, path: AttributePath) => AttributeValue | undefined

/** Opens values that were sealed in a table, under any of the configurations that it had. */
export function unsealingOf(versions: readonly TableConfiguration[], keys: Pick<SubjectKeys, 'find'>): Unsealing {
  const places = placesOf(versions)
  return (field, found) => {
    const key = field.ciphertext === '' ? undefined : keys.find(field)
    if (key?.state !== 'live') return undefined
    for (const { table, path } of places) {
      // where the path could not be followed, a value higher up was sealed in its place
      if (!isAt(found, path)) continue
      const text = openText(field.ciphertext, key.fieldKey, { ...field, table, path })
      if (text !== undefined) return parseValue(text)
    }
    return undefined
  }
}

/** An image in canonical DynamoDB JSON with its sealed values replaced. */
export function unsealImage(image: string, unseal: Unsealing): string {
  const item = unsealItem(parseItem(image), unseal)
  return canonicalItem(canonicalAttributes(item, 'item', 'once'), 'item')
}

function unsealItem(item: Item, unseal: Unsealing): Item {
  return (unsealValue({ M: item }, unseal, []) as { readonly M: Item }).M
}

function unsealValue(value: AttributeValue, unseal: Unsealing, path: AttributePath): AttributeValue {
  const field = readSealed(value)
  if (field !== undefined) return unseal(field, path) ?? value
  if ('L' in value) return { L: value.L.map(inner => unsealValue(inner, unseal, [...path, '*'])) }
  if (!('M' in value)) return value
  const members = Object.entries(value.M).map(([name, inner]) => [name, unsealValue(inner, unseal, [...path, name])])
  return { M: Object.fromEntries(members) as Item }
}

function placesOf(versions: readonly TableConfiguration[]) {
  const places = new Map<string, { readonly table: string; readonly path: AttributePath }>()
  for (const { table, erasable } of versions)
    for (const { path } of (erasable ?? []).flatMap(({ values }) => values))
      places.set(JSON.stringify([table, path]), { table, path })
  return [...places.values()]
}

function isAt(found: AttributePath, path: AttributePath): boolean {
  return found.length <= path.length && found.every((step, i) => step === path[i] || path[i] === '*')
}
