import type { DuckDBDataChunk, DuckDBTimestampValue, DuckDBType } from '@duckdb/node-api'
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
 * The rows of a part of an answer, as `rowsOf` gives them of its Arrow table, each made when it is asked for. Only
 * columns of which few answers have any go through Arrow: each text would be encoded and decoded once more on its way.
 */
export function* rowsOfChunk(
  names: readonly string[],
  types: readonly DuckDBType[],
  chunk: DuckDBDataChunk,
): Generator<Row> {
  const columns = types.map((type, i) => columnOf(type, chunk, i))
  for (let from = 0; from < chunk.rowCount; from += TOGETHER) {
    const count = Math.min(TOGETHER, chunk.rowCount - from)
    yield* rowsBy(
      names,
      columns.map(column => column(from, count)),
      count,
    )
  }
}

/**
 * DuckDB's client keeps what it once gave of a vector. Of few rows at a time that is let go of soon: texts of a whole
 * chunk outlive a young generation, and to keep them took longer than to make them.
 */
const TOGETHER = 64

/** Gives the reader of so many of a column's values, from one on. */
type Column = (from: number, count: number) => Reader

function columnOf(type: DuckDBType, chunk: DuckDBDataChunk, column: number): Column {
  const isTime = type.typeId === Type.TIMESTAMP
  if (!isTime && !PLAIN.has(type.typeId)) {
    const values = [...rowsOf(toArrowColumn(type, chunk.getColumnValues(column)))]
    return from => i => values[from + i]?.value as Value
  }
  const vector = chunk.getColumnVector(column)
  return (from, count) => {
    const values = vector.slice(from, count)
    if (!isTime) return i => values.getItem(i) as Value
    return i => {
      const time = values.getItem(i) as DuckDBTimestampValue | null
      return time === null ? null : timestampText(time.micros, '')
    }
  }
}
