import { type Data, DataType, type Table, Vector } from 'apache-arrow'
import { formatInstant } from '../transform/instant.js'

/** A value of an answer in JavaScript: 64-bit integers are bigint, decimals and times are text. */
export type Value = string | number | bigint | boolean | readonly (string | null)[] | null
export type Row = Readonly<Record<string, Value>>

/** The rows of an answer, one by one. Timestamps are ISO 8601 in UTC, with microseconds where there are any. */
export function* rowsOf(table: Table): Generator<Row> {
  const names = table.schema.fields.map(field => field.name)
  for (const batch of table.batches) {
    const readers = batch.data.children.map(readerOf)
    for (let i = 0; i < batch.numRows; i++) {
      yield Object.fromEntries(readers.map((read, column) => [names[column] as string, read(i)]))
    }
  }
}

function readerOf(data: Data): (i: number) => Value {
  const read = typedReader(data)
  return i => (data.getValid(i) ? read(i) : null)
}

function typedReader(data: Data): (i: number) => Value {
  const { type } = data
  // Arrow's own readers give a timestamp as a double of milliseconds and a decimal as bare words
  if (DataType.isTimestamp(type)) return i => timestampText(Number(data.values[i]))
  if (DataType.isDate(type)) return i => new Date(Number(data.values[i]) * 86_400_000).toISOString().slice(0, 10)
  if (DataType.isDecimal(type)) return i => decimalText(data.values as Uint32Array, i, type.scale)
  const vector = new Vector([data])
  if (DataType.isList(type)) return i => [...(vector.get(i) as Iterable<string | null>)]
  return i => vector.get(i) as Value
}

function timestampText(us: number): string {
  return formatInstant(us, us % 1000 === 0 ? 3 : 6)
}

function decimalText(words: Uint32Array, i: number, scale: number): string {
  const unsigned = [3, 2, 1, 0].reduce((sum, word) => (sum << 32n) | BigInt(words[i * 4 + word] as number), 0n)
  const value = BigInt.asIntN(128, unsigned)
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const plain = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${plain}` : plain
}
