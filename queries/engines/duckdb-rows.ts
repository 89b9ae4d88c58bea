import type { DuckDBDataChunk, DuckDBTimestampValue, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { toArrowColumn } from './arrow.js'
import { duckDbClient } from './duckdb-instance.js'
import { type Reader, type Row, rowsBy, rowsOf, timestampText, type Value } from './rows.js'

const { DuckDBTypeId: Type } = duckDbClient()

/** What DuckDB's client gives of these is what `rowsOf` gives. */
const PLAIN: ReadonlySet<number> = new Set([
  Type.VARCHAR,
  Type.BOOLEAN,
  Type.TINYINT,
  Type.SMALLINT,
  Type.INTEGER,
  Type.UTINYINT,
  Type.USMALLINT,
  Type.BIGINT,
  Type.DOUBLE,
])

/**
 * The rows of a part of an answer, as `rowsOf` gives them of its Arrow table. Only columns of which few answers have
 * any go through Arrow: each text would be encoded and decoded once more on its way.
 */
export function rowsOfChunk(
  names: readonly string[],
  types: readonly DuckDBType[],
  chunk: DuckDBDataChunk,
): readonly Row[] {
  const readers = types.map((type, i) => readerOf(type, chunk.getColumnValues(i)))
  return [...rowsBy(names, readers, chunk.rowCount)]
}

function readerOf(type: DuckDBType, values: readonly DuckDBValue[]): Reader {
  if (PLAIN.has(type.typeId)) return i => values[i] as Value
  if (type.typeId === Type.TIMESTAMP)
    return i => (values[i] === null ? null : timestampText((values[i] as DuckDBTimestampValue).micros, ''))
  const column = [...rowsOf(toArrowColumn(type, values))]
  return i => column[i]?.value as Value
}
