import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { type Data, DataType, type RecordBatch, type Table, Vector } from 'apache-arrow'
import { privateFolder } from '../../store/durable.js'
import { COMPRESSION, duckDbClient, openDuckDb } from '../engines/duckdb-instance.js'
import { quoted, quotedName } from '../engines/literal.js'
import { decimalOf } from '../engines/rows.js'

const { BIGINT, BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, LIST, TIMESTAMP, TIMESTAMPTZ, VARCHAR } = duckDbClient()
const {
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  listValue,
} = duckDbClient()

/** An answer as one Parquet file (ZSTD), each column in its own type; names that differ in case only are numbered. */
export async function toParquet(table: Table): Promise<Uint8Array> {
  const folder = privateFolder('itemtrail-answer-')
  const instance = await openDuckDb()
  const connection = await instance.connect()
  try {
    const path = join(folder, 'answer.parquet')
    await load(connection, table)
    const names = table.schema.fields.map(({ name }, i) => `c${i} as ${quotedName(name)}`)
    await connection.run(
      `copy (select ${names.join(', ')} from answer) to ${quoted(path)} (format parquet, ${COMPRESSION})`,
    )
    return await readFile(path)
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Rows that a DuckDB chunk holds. */
const CHUNK = 2048

async function load(connection: DuckDBConnection, table: Table): Promise<void> {
  const types = table.schema.fields.map(({ type }) => duckDbTypeOf(type))
  await connection.run("set TimeZone = 'UTC'")
  await connection.run(`create table answer (${types.map((type, i) => `c${i} ${type}`).join(', ')})`)
  const appender = await connection.createAppender('answer')
  for (const batch of table.batches) {
    for (let from = 0; from < batch.numRows; from += CHUNK) {
      const rows = Math.min(CHUNK, batch.numRows - from)
      const chunk = DuckDBDataChunk.create(types, rows)
      chunk.setColumns(columnsOf(batch, from, rows))
      appender.appendDataChunk(chunk)
    }
  }
  appender.closeSync()
}

function columnsOf(batch: RecordBatch, from: number, rows: number): readonly DuckDBValue[][] {
  return batch.data.children.map(data => {
    const read = readerOf(data)
    return Array.from({ length: rows }, (_, i) => (data.getValid(from + i) ? read(from + i) : null))
  })
}

/** The inverse of what makes DuckDB's answers Arrow. */
function duckDbTypeOf(type: DataType): DuckDBType {
  if (DataType.isBool(type)) return BOOLEAN
  if (DataType.isInt(type)) return type.bitWidth === 64 ? BIGINT : INTEGER
  if (DataType.isFloat(type)) return DOUBLE
  if (DataType.isDecimal(type)) return DECIMAL(type.precision, type.scale)
  if (DataType.isDate(type)) return DATE
  if (DataType.isTimestamp(type)) return type.timezone === null ? TIMESTAMP : TIMESTAMPTZ
  return DataType.isList(type) ? LIST(VARCHAR) : VARCHAR
}

function readerOf(data: Data): (i: number) => DuckDBValue {
  const { type, values } = data
  if (DataType.isDecimal(type))
    return i => new DuckDBDecimalValue(decimalOf(values as Uint32Array, i), type.precision, type.scale)
  if (DataType.isDate(type)) return i => new DuckDBDateValue(values[i] as number)
  if (DataType.isTimestamp(type)) {
    return type.timezone === null
      ? i => new DuckDBTimestampValue(values[i] as bigint)
      : i => new DuckDBTimestampTZValue(values[i] as bigint)
  }
  const vector = new Vector([data])
  if (DataType.isList(type)) return i => listValue([...(vector.get(i) as Iterable<string | null>)])
  return i => vector.get(i) as DuckDBValue
}
