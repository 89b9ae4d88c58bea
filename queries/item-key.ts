import { canonicalAttributes, canonicalItem, parseItem } from '../transform/attribute-value.js'
import { isObject } from '../transform/json.js'
import { Refusal } from '../transform/refusal.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { anyItemKey } from './ask.js'
import type { QueryEngine } from './engine.js'
import { deliveriesOf } from './literal.js'
import { ParameterError } from './parameters.js'

/**
 * The canonical keys that somebody may mean, likeliest first, given any key of the table (canonical, as in `item_key`). A
 * value is DynamoDB JSON, or plain and of the type that the given key has there; other attributes are passed over. They
 * are two where a number is written otherwise than DynamoDB writes it: `01` for `1`. Throws `ParameterError`.
 */
export function canonicalKeys(values: Readonly<Record<string, unknown>>, anyKey: string): readonly string[] {
  const sample = parseItem(anyKey)
  const names = Object.keys(sample)
  const missing = names.find(name => !Object.hasOwn(values, name))
  if (missing !== undefined) {
    const form = JSON.stringify(Object.fromEntries(names.map(name => [name, '...'])))
    throw new ParameterError(`key ${shownKey(values)} has no ${missing}, expected ${form}`)
  }
  try {
    const asGiven = Object.fromEntries(
      names.map(name => [name, toKeyValue(values[name], sample[name] as object, name)]),
    )
    const asWritten = Object.fromEntries(names.map(name => [name, writeNumber(asGiven[name])]))
    const written = canonicalKey(asWritten)
    return isNumeral(asGiven) ? [...new Set([written, canonicalKey(asGiven)])] : [written]
  } catch (error) {
    if (error instanceof Refusal) throw new ParameterError(error.message)
    throw error
  }
}

function shownKey(values: object): string {
  return JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 200)
}

function canonicalKey(key: object): string {
  return canonicalItem(canonicalAttributes(key, 'key', 'once'), 'key')
}

function toKeyValue(value: unknown, sample: object, name: string): unknown {
  if (value instanceof Uint8Array) return { B: Buffer.from(value).toString('base64') }
  if (isObject(value)) return value
  const type = Object.keys(sample)[0] as string
  if (typeof value === 'bigint') return { [type]: String(value) }
  if (typeof value !== 'number') return { [type]: value }
  // a double keeps 15 digits of any numeral; with more, the one that was written may be another by now
  if (String(value).replaceAll(/e.*|\D/g, '').length > 15)
    throw new Refusal(`key.${name} is a JSON number of more than 15 digits, write it as a string`)
  return { [type]: String(value) }
}

function isNumeral(key: object): boolean {
  const numbers = Object.values(key).filter(value => isObject(value) && 'N' in value)
  return numbers.every(({ N }) => typeof N === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(N))
}

/** A number as DynamoDB writes it: no zeros that say nothing, no exponent. Any other value as it is. */
function writeNumber(value: unknown): unknown {
  const numeral = isObject(value) && typeof value.N === 'string' ? value.N : undefined
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,3}))?$/i.exec(numeral?.trim() ?? '')
  if (match === null || !/\d/.test(`${match[2]}${match[3]}`)) return value
  const [, sign, whole, fraction, exponent] = match as unknown as [string, string, string, string, string | undefined]
  const digits = whole + fraction
  const point = whole.length + Number(exponent ?? 0)
  const before = digits.slice(0, Math.max(0, point)).padEnd(point, '0').replace(/^0+/, '') || '0'
  const after = `${'0'.repeat(Math.max(0, -point))}${digits.slice(Math.max(0, point))}`.replace(/0+$/, '')
  const written = after === '' ? before : `${before}.${after}`
  return { N: sign === '-' && written !== '0' ? `-${written}` : written }
}

/**
 * The canonical key of an item, from any key of its table: the likeliest of those that `keysOf` says are
 * meant, unless another has changes. Undefined where neither rows nor the configuration tell what a key looks like.
 */
export async function findItemKey(
  engine: QueryEngine,
  table: TableConfiguration,
  keysOf: (anyKey: string) => readonly string[],
): Promise<string | undefined> {
  const anyKey = (await anyItemKey(engine, table)) ?? configuredKey(table)
  if (anyKey === undefined) return undefined
  const keys = keysOf(anyKey)
  for (const key of keys.slice(1)) if (await hasChanges(engine, table, key)) return key
  return keys[0]
}

/** A made-up key from the configuration, which does not tell types: they are strings more often than not. */
function configuredKey({ keys }: TableConfiguration): string | undefined {
  if (keys.length === 0) return undefined
  const names = keys.map(key => key.attribute).sort()
  return canonicalItem(new Map(names.map(name => [name, '{"S":""}'])), 'key')
}

async function hasChanges(engine: QueryEngine, table: TableConfiguration, key: string): Promise<boolean> {
  const sql = `select 1 from ${deliveriesOf(table)} where item_key = ? limit 1`
  const answer = await engine.run(sql, [key], {
    scope: { table: table.table, identifier: table.identifier, itemKey: key },
  })
  return answer.numRows > 0
}
