import { canonicalKey } from '../../queries/item-key.js'
import { ParameterError } from '../../queries/parameters.js'
import { type Item, parseItem } from '../../transform/attribute-value.js'
import { tryParseObject } from '../../transform/json.js'
import { CommandError, EXIT } from '../io.js'
import { printable } from './text.js'

/**
 * The canonical key that a user means, given any key of the table (canonical, as in `item_key`): a simple key as it is
 * (`ORD12345`), a composite one as `pk=...,sk=...`, either as JSON, plain or DynamoDB's. Throws `CommandError`.
 */
export function parseItemKey(typed: string, anyKey: string): string {
  const sample = parseItem(anyKey)
  const names = Object.keys(sample)
  const hint = `type it as ${acceptedForm(sample)}`
  const values = readJsonKey(typed, names) ?? readTypedKey(typed, names)
  if (values === undefined) {
    throw new CommandError(`key ${JSON.stringify(typed)} does not say ${names.join(' and ')}`, EXIT.usage, hint)
  }
  try {
    return canonicalKey(values, anyKey)
  } catch (error) {
    if (error instanceof ParameterError) throw new CommandError(error.message, EXIT.usage, hint)
    throw error
  }
}

function acceptedForm(sample: Item): string {
  const names = Object.keys(sample)
  const form = (name: string) => ('B' in (sample[name] as object) ? 'BASE64' : '...')
  const json = `as JSON: ${JSON.stringify(Object.fromEntries(names.map(name => [name, form(name)])))}`
  const bare =
    names.length === 1
      ? `the bare value of ${names[0]}${'B' in (sample[names[0] as string] as object) ? ' in base64' : ''}`
      : names.map(name => `${name}=${form(name)}`).join(',')
  return `${bare}, or ${json}`
}

function readJsonKey(typed: string, names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  if (!typed.trimStart().startsWith('{')) return undefined
  const value = tryParseObject(typed)
  return value !== undefined && names.every(name => Object.hasOwn(value, name)) ? value : undefined
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

/**
 * A canonical key as people read it, and can type it: `ORD12345`, or `pk=a,sk=b`; as JSON where that would be read as
 * another key or could not be seen. Any other text as it is.
 */
export function showItemKey(key: string): string {
  const bare = bareKey(key)
  return printable(bare !== undefined && isReadBack(bare, key) ? bare : key)
}

function bareKey(key: string): string | undefined {
  try {
    const attributes = Object.entries(parseItem(key)).map(([name, value]) => [name, String(Object.values(value)[0])])
    if (attributes.length === 1) return attributes[0]?.[1]
    return attributes.map(([name, value]) => `${name}=${value}`).join(',')
  } catch {
    return undefined
  }
}

function isReadBack(bare: string, key: string): boolean {
  try {
    return bare !== '' && printable(bare) === bare && parseItemKey(bare, key) === key
  } catch {
    return false
  }
}
