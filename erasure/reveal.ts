import { erasureOf, type KnownErasures } from '../queries/verdict/erasures.js'
import {
  type AttributeValue,
  canonicalImage,
  canonicalValue,
  type Item,
  parseItem,
  parseValue,
} from '../transform/attribute-value.js'
import { isObject, tryParseObject } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import { erasedValue, KEPT_NAME, readSealed, type SealedField, textIn } from '../transform/sealed-field.js'
import type { AttributePath, TableConfiguration } from '../transform/table-configuration.js'
import { openText } from './field.js'
import type { SubjectKeys } from './subject-keys.js'

/** What becomes of a sealed value: another value, or undefined where it stays as it is. */
export type Unsealing = (field: SealedField, path: AttributePath, value: AttributeValue) => AttributeValue | undefined

/** Leaves every value as it is stored. */
export const AS_STORED: Unsealing = () => undefined

/** Tells of values whose key the archive's facts say is destroyed when that was, and by which certificate. */
export function markingOf(erasures: KnownErasures): Unsealing {
  return (field, _, value) => {
    const erasure = erasureOf(field, erasures)
    if (erasure === undefined || erasure.destroyed === null || erasure.certificate === null) return undefined
    const { destroyed, certificate } = erasure
    return erasedValue(field, { destroyed, certificate }, textIn(value, KEPT_NAME))
  }
}

/** The first of some that makes something of a value. */
export function firstOf(unsealings: readonly Unsealing[]): Unsealing {
  return (...sealed) => unsealings.map(unseal => unseal(...sealed)).find(made => made !== undefined)
}

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

/** An image in canonical DynamoDB JSON with its sealed values replaced. Any other text is left as it is. */
export function unsealText(text: string, unseal: Unsealing): string {
  // a cell of an answer may hold anything
  const found = unseal !== AS_STORED && text.includes('"$enc"') ? tryParseObject(text) : undefined
  if (found === undefined) return text
  try {
    if (readSealed(found) === undefined) return unsealImage(text, unseal)
    // a value alone does not tell where it was: it opens only there
    return canonicalValue(unsealValue(found as unknown as AttributeValue, unseal, []), 'value', 'once')
  } catch (error) {
    // somebody's JSON, or an image that was altered, which is told beside it
    if (error instanceof Refusal) return text
    throw error
  }
}

/** An image in canonical DynamoDB JSON with its sealed values replaced. */
export function unsealImage(image: string, unseal: Unsealing): string {
  return canonicalImage(unsealItem(parseItem(image), unseal))
}

function unsealItem(item: Item, unseal: Unsealing): Item {
  return (unsealValue({ M: item }, unseal, []) as { readonly M: Item }).M
}

function unsealValue(value: AttributeValue, unseal: Unsealing, path: AttributePath): AttributeValue {
  const field = readSealed(value)
  if (field !== undefined) return unseal(field, path, value) ?? value
  if (!isObject(value)) return value
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
