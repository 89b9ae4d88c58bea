import type {
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalType,
  DuckDBDecimalValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBTimestampValue,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api'
import type { Table } from 'apache-arrow'
import { Bool, Float64, Int32, Int64 } from 'apache-arrow/type'
import {
  byBuilder,
  byDays,
  byDecimal,
  byMicroseconds,
  bySixtyFourBits,
  byStringList,
  byText,
  type ColumnMapping,
  tableOf,
} from './arrow-columns.js'
import { duckDbClient } from './duckdb-instance.js'

const { DuckDBTypeId, JsonDuckDBValueConverter } = duckDbClient()

/**
 * An answer of DuckDB as an Arrow table; its Node client has no Arrow of its own, so the vectors are built by column.
 */
export function toArrowTable(
  names: readonly string[],
  types: readonly DuckDBType[],
  chunks: readonly DuckDBDataChunk[],
): Table {
  const columns = chunks.map(chunk => ({ rowCount: chunk.rowCount, columns: chunk.getColumns() as DuckDBValue[][] }))
  return tableOf(names, types.map(mappingOf), columns)
}

/** One column of an answer as an Arrow table, in which it is called `value`. */
export function toArrowColumn(type: DuckDBType, values: readonly DuckDBValue[]): Table {
  return tableOf(['value'], [mappingOf(type)], [{ rowCount: values.length, columns: [values] }])
}

function mappingOf(type: DuckDBType): ColumnMapping<DuckDBValue> {
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
      return byText()
    case DuckDBTypeId.BOOLEAN:
      return byBuilder(new Bool())
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
      return byBuilder(new Int32())
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UINTEGER:
      return bySixtyFourBits(new Int64(), value => BigInt(value as bigint))
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return byBuilder(new Float64())
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UBIGINT:
      return byDecimal(38, 0, value => value as bigint)
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType
      return byDecimal(width, scale, value => (value as DuckDBDecimalValue).value)
    }
    case DuckDBTypeId.DATE:
      return byDays(value => (value as DuckDBDateValue).days)
    case DuckDBTypeId.TIMESTAMP:
      return byMicroseconds(null, value => (value as DuckDBTimestampValue).micros)
    case DuckDBTypeId.TIMESTAMP_TZ:
      return byMicroseconds('UTC', value => (value as DuckDBTimestampValue).micros)
    case DuckDBTypeId.TIMESTAMP_MS:
      return byMicroseconds(null, value => (value as { millis: bigint }).millis * 1000n)
    case DuckDBTypeId.LIST:
      if ((type as DuckDBListType).valueType.typeId === DuckDBTypeId.VARCHAR)
        return byStringList(value => (value as DuckDBListValue).items as (string | null)[])
      return byJson(type)
    default:
      return byJson(type)
  }
}

/** Types that no saved query answers with: as JSON text. */
function byJson(type: DuckDBType): ColumnMapping<DuckDBValue> {
  return byText(value => JSON.stringify(JsonDuckDBValueConverter(value, type, JsonDuckDBValueConverter)))
}
