import { canonicalAttributes, canonicalItem, type Item, parseItem } from '../transform/attribute-value.js'
import { isObject } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import { CommandError } from './io.js'

/**
 * The canonical key that a user means, given any key of the table (canonical, as in `item_key`): a simple key as it is
 * (`ORD12345`), a composite one as `pk=...,sk=...`, either as JSON, plain or DynamoDB's. Throws `CommandError`.
 */
export function parseItemKey(typed: string, anyKey: string): string {
  const sample = parseItem(anyKey)
  const names = Object.keys(sample)
  const values = readJsonKey(typed, names) ?? readTypedKey(typed, names)
  if (values === undefined) {
    throw new CommandError(
      `key ${JSON.stringify(typed)} does not say ${names.join(' and ')}`,
      2,
      `type it as ${acceptedForm(names)}`,
    )
  }
  try {
    const item = Object.fromEntries(names.map(name => [name, toKeyValue(values[name], sample, name)]))
    return canonicalItem(canonicalAttributes(item, 'key', 'once'), 'key')
  } catch (error) {
    if (error instanceof Refusal) throw new CommandError(error.message, 2, `type it as ${acceptedForm(names)}`)
    throw error
  }
}

function acceptedForm(names: readonly string[]): string {
  if (names.length === 1) return `the bare value of ${names[0]}, or JSON`
  return `${names.map(name => `${name}=...`).join(',')}, or JSON`
}

function readJsonKey(typed: string, names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  if (!typed.trimStart().startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(typed)
    return isObject(value) && names.every(name => Object.hasOwn(value, name)) ? value : undefined
  } catch {
    return undefined
  }
}

/** A value may hold commas and equals signs: only `,name=` of the other attribute ends it. */
function readTypedKey(typed: string, names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const [only] = names
  if (names.length === 1)
    return { [only as string]: typed.startsWith(`${only}=`) ? typed.slice(`${only}=`.length) : typed }
  for (const [first, second] of [names, [...names].reverse()] as [string, string][]) {
    const split = typed.indexOf(`,${second}=`)
    if (typed.startsWith(`${first}=`) && split !== -1) {
      return { [first]: typed.slice(first.length + 1, split), [second]: typed.slice(split + second.length + 2) }
    }
  }
  return undefined
}

function toKeyValue(value: unknown, sample: Item, name: string): unknown {
  if (isObject(value)) return value
  const type = Object.keys(sample[name] as object)[0] as string
  return { [type]: typeof value === 'number' ? String(value) : value }
}

/** A canonical key as people read it: `ORD12345`, or `pk=a,sk=b`; any other text as it is. */
export function showItemKey(key: string): string {
  const attributes = Object.entries(parseKey(key)).map(
    ([name, value]) => [name, String(Object.values(value)[0])] as const,
  )
  if (attributes.length === 0) return key
  if (attributes.length === 1) return (attributes[0] as readonly [string, string])[1]
  return attributes.map(([name, value]) => `${name}=${value}`).join(',')
}

function parseKey(key: string): Item {
  try {
    return parseItem(key)
  } catch {
    return {}
  }
}
