import { canonicalAttributes, canonicalItem, type Item, parseItem } from '../transform/attribute-value.js'
import { isObject } from '../transform/json.js'
import { isKeyToken } from '../transform/personal-key.js'
import { Refusal } from '../transform/refusal.js'
import { type Sealing, SealingError } from '../transform/sealed-field.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { ParameterError } from './parameters.js'

/**
 * The canonical key that somebody means, given any key of the table (canonical, as in `item_key`). A value is
 * DynamoDB JSON, or plain and of the type that the given key has there; other attributes are passed over. Throws
 * `ParameterError`.
 */
export function canonicalKey(values: Readonly<Record<string, unknown>>, anyKey: string): string {
  const sample = parseItem(anyKey)
  const names = Object.keys(sample)
  const missing = names.find(name => !Object.hasOwn(values, name))
  if (missing !== undefined) {
    const form = JSON.stringify(Object.fromEntries(names.map(name => [name, '...'])))
    throw new ParameterError(`key ${shownKey(values)} has no ${missing}, expected ${form}`)
  }
  try {
    const key = names.map(name => [name, toKeyValue(values[name], sample[name] as object, name)])
    return canonicalItem(canonicalAttributes(Object.fromEntries(key), 'key', 'once'), 'key')
  } catch (error) {
    if (error instanceof Refusal) throw new ParameterError(error.message)
    throw error
  }
}

/** What of a table's keys names persons, and what makes tokens of that, for who has the keys. */
interface PersonalKeys extends Pick<TableConfiguration, 'table' | 'keyIsPersonal'> {
  readonly seal?: Pick<Sealing, 'key'>
}

/**
 * A canonical key as rows have it: what names a person is replaced by its token, one that is a token already stays.
 * Throws `ParameterError` where that takes keys which are not here: asked as it is, it would seem never to have been.
 */
export function storedKey(itemKey: string, table: PersonalKeys): string {
  return toStored(parseItem(itemKey), table) ?? itemKey
}

/** The same of some attributes of a key; undefined where nothing of them is replaced. */
function toStored(key: Item, { table, keyIsPersonal = [], seal }: PersonalKeys): string | undefined {
  const kept = Object.entries(key).filter(([name, value]) => !keyIsPersonal.includes(name) || isKeyToken(value))
  if (kept.length === Object.keys(key).length) return undefined
  if (seal === undefined)
    throw new ParameterError(
      `keys of ${table} have tokens in the place of ${keyIsPersonal.join(' and ')}, which only the key store makes: ` +
        `give the token as itemtrail subject token KEY --table ${table} prints it, or the key where the store is configured`,
    )
  try {
    const stored = { ...seal.key(key, 'once'), ...Object.fromEntries(kept) }
    return canonicalItem(canonicalAttributes(stored, 'key', 'once'), 'key')
  } catch (error) {
    if (error instanceof SealingError) throw new ParameterError(error.message, { cause: error })
    throw error
  }
}

/** A value of a key attribute that names a person as rows have it, given any key of the table. See `storedKey`. */
export function storedKeyValue(name: string, typed: string, anyKey: string, table: TableConfiguration): string {
  const piece = keyMember(`${name}=${typed}`, anyKey, table)
  return piece === undefined ? typed : valueIn(piece)
}

/** The plain value in the piece of a canonical key that `keyMember` gives. */
export function valueIn(piece: string): string {
  return String(Object.values(Object.values(parseItem(`{${piece}}`))[0] as object)[0])
}

function shownKey(values: object): string {
  return JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 200)
}

function toKeyValue(value: unknown, sample: object, name: string): unknown {
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString('base64') }
  if (isObject(value)) return value
  const type = Object.keys(sample)[0] as string
  if (typeof value === 'bigint') return { [type]: String(value) }
  if (typeof value === 'string') return { [type]: type === 'N' ? asNumeral(value) : value }
  if (typeof value !== 'number') return { [type]: value }
  // a double keeps 15 digits of any numeral; with more, the one that was written may be another by now
  if (String(value).replaceAll(/e.*|\D/g, '').length > 15)
    throw new Refusal(`key.${name} is a JSON number of more than 15 digits, write it as a string`)
  return { [type]: String(value) }
}

/**
 * What `item_key` has in it of the items whose key begins as somebody typed, given any key of the table: the beginning
 * of a key attribute's value, or `NAME=` and the beginning of that one's. Empty where all items are meant. Of a value
 * that names a person, of which rows have a token, all has to be typed: throws a `ParameterError` where it is not
 * clear that it is.
 */
export function keyBeginning(typed: string, anyKey: string, table: TableConfiguration): string {
  if (typed === '') return ''
  const sample = Object.entries(parseItem(anyKey))
  const named = sample.find(([name]) => typed.startsWith(`${name}=`))
  const personal = personalMember(typed, anyKey, table, named?.[0])
  if (personal !== undefined) return personal
  const types = new Set(sample.map(([, value]) => Object.keys(value)[0]))
  if (named !== undefined)
    return `${JSON.stringify(named[0])}:{"${Object.keys(named[1])[0]}":"${inner(typed.slice(named[0].length + 1))}`
  return `":{"${types.size === 1 ? [...types][0] : 'S'}":"${inner(typed)}`
}

/** What stands for a person's name, which has no beginning; undefined where what was typed names nobody. */
function personalMember(
  typed: string,
  anyKey: string,
  table: TableConfiguration,
  named: string | undefined,
): string | undefined {
  const names = Object.keys(parseItem(anyKey))
  const personal = names.filter(name => table.keyIsPersonal?.includes(name))
  const value = named === undefined ? typed : typed.slice(named.length + 1)
  // the beginning of a token is one like any other
  if (personal.length === 0 || value.startsWith('token:') || value === '') return undefined
  if (named === undefined && names.length > 1)
    throw new ParameterError(
      `keys of ${table.table} have tokens in the place of ${personal.join(' and ')}, expected ${names.map(name => `${name}=${personal.includes(name) ? 'THE WHOLE VALUE' : 'BEGINNING'}`).join(' or ')}`,
    )
  const name = named ?? (names[0] as string)
  return personal.includes(name) ? keyMember(`${name}=${value}`, anyKey, table) : undefined
}

/**
 * What `item_key` has in it of the items with one value of one key attribute, typed as `NAME=VALUE`, and as rows have
 * it; undefined for what does not begin with the name of one. Throws `ParameterError` as `storedKey` does.
 */
export function keyMember(typed: string, anyKey: string, table: TableConfiguration): string | undefined {
  const sample = Object.entries(parseItem(anyKey))
  const named = sample.find(([name]) => typed.startsWith(`${name}=`))
  if (named === undefined) return undefined
  const [name, value] = named
  const one = canonicalKey(
    { [name]: typed.slice(name.length + 1) },
    canonicalItem(canonicalAttributes({ [name]: value }, 'key', 'once'), 'key'),
  )
  return storedKey(one, table).slice(1, -1)
}

/** A text as JSON has it between quotes. */
function inner(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** A numeral as people type it, with a plus sign or without digits on one side of the point, as DynamoDB reads it. */
function asNumeral(typed: string): string {
  return typed
    .trim()
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?=$|e)/i, '')
}

/**
 * A made-up key from the configuration, which does not tell types: they are strings more often than not. Undefined
 * where that has no keys.
 */
export function configuredKey({ keys }: TableConfiguration): string | undefined {
  if (keys.length === 0) return undefined
  const names = keys.map(key => key.attribute).sort()
  return canonicalItem(new Map(names.map(name => [name, '{"S":""}'])), 'key')
}
