import type { Data, Table, Vector } from 'apache-arrow'
// the whole of Arrow takes longer to load than most commands to run, and its types are told by number
import { DataType } from 'apache-arrow/type'

/** A value of an answer in JavaScript: 64-bit integers are bigint, decimals and times are text. */
export type Value = string | number | bigint | boolean | readonly (string | null)[] | null
export type Row = Readonly<Record<string, Value>>

/**
 * The rows of an answer, one by one. Instants are ISO 8601 in UTC, with microseconds where there are any; a time whose
 * zone nobody says is written without one.
 */
export function* rowsOf(table: Table): Generator<Row> {
  const names = table.schema.fields.map(field => field.name)
  for (const batch of table.batches) {
    const readers = batch.data.children.map((data, column) => readerOf(data, batch.getChildAt(column) as Vector))
    yield* rowsBy(names, readers, batch.numRows)
  }
}

/** So many rows, of which there is a reader for each column. */
export function* rowsBy(names: readonly string[], readers: readonly Reader[], count: number): Generator<Row> {
  // where a name is the prototype's, only this makes it a column
  const read = names.includes('__proto__') ? entriesAt : rowAt
  for (let i = 0; i < count; i++) yield read(names, readers, i)
}

/** Many rows are read, and this is three times as fast as an object from entries. */
function rowAt(names: readonly string[], readers: readonly Reader[], i: number): Row {
  const row: Record<string, Value> = {}
  for (let column = 0; column < readers.length; column++) row[names[column] as string] = (readers[column] as Reader)(i)
  return row
}

function entriesAt(names: readonly string[], readers: readonly Reader[], i: number): Row {
  return Object.fromEntries(readers.map((read, column) => [names[column] as string, read(i)]))
}

/** Gives what a column has in a row. */
export type Reader = (i: number) => Value

function readerOf(data: Data, vector: Vector): Reader {
  const read = typedReader(data, vector)
  return i => (data.getValid(i) ? read(i) : null)
}

function typedReader(data: Data, vector: Vector): Reader {
  const { type } = data
  // Arrow's own readers give a timestamp as a double of milliseconds and a decimal as bare words
  if (DataType.isTimestamp(type)) {
    const zone = type.timezone === null ? '' : 'Z'
    return i => timestampText(data.values[i] as bigint, zone)
  }
  if (DataType.isDate(type))
    return i => (isoText(data.values[i] * DAY_MS) ?? `${data.values[i]} days`).split('T')[0] as string
  if (DataType.isDecimal(type)) return i => decimalText(data.values as Uint32Array, i, type.scale)
  if (DataType.isList(type)) return i => [...(vector.get(i) as Iterable<string | null>)]
  return i => vector.get(i) as Value
}

const DAY_MS = 86_400_000

/** In whole numbers, because a double no longer holds the microseconds of the year 9999. */
export function timestampText(us: bigint, zone: 'Z' | ''): string {
  const rest = ((us % 1000n) + 1000n) % 1000n
  const text = isoText(Number((us - rest) / 1000n))
  if (text === undefined) return `${us} us`
  return `${text.slice(0, -1)}${rest === 0n ? '' : String(rest).padStart(3, '0')}${zone}`
}

/** Undefined for what no JavaScript date can hold, such as infinity. */
function isoText(ms: number): string | undefined {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

function decimalText(words: Uint32Array, i: number, scale: number): string {
  const value = decimalOf(words, i)
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const plain = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${plain}` : plain
}

/** The digits of a decimal without the point, from its four words. */
export function decimalOf(words: Uint32Array, i: number): bigint {
  const unsigned = [3, 2, 1, 0].reduce((sum, word) => (sum << 32n) | BigInt(words[i * 4 + word] as number), 0n)
  return BigInt.asIntN(128, unsigned)
}
