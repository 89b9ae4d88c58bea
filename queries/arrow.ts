import {
  type DuckDBDataChunk,
  type DuckDBDateValue,
  type DuckDBDecimalType,
  type DuckDBDecimalValue,
  type DuckDBListType,
  type DuckDBListValue,
  type DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api'
import {
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'

/** One column of a DuckDB answer as an Arrow type, and how its values become Arrow data. */
interface ColumnMapping {
  readonly type: DataType
  readonly toData: (values: readonly DuckDBValue[]) => Data
}

/** An answer of DuckDB as an Arrow table; its Node client has no Arrow of its own, so the vectors are built by column. */
export function toArrowTable(
  names: readonly string[],
  types: readonly DuckDBType[],
  chunks: readonly DuckDBDataChunk[],
): Table {
  const mappings = types.map(mappingOf)
  const schema = new Schema(names.map((name, i) => new Field(name, (mappings[i] as ColumnMapping).type, true)))
  const batches = chunks.map(chunk => {
    const columns = chunk.getColumns()
    const children = mappings.map((mapping, i) => mapping.toData(columns[i] as DuckDBValue[]))
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: chunk.rowCount, children }))
  })
  return new Table(schema, batches)
}

function mappingOf(type: DuckDBType): ColumnMapping {
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
      return byBuilder(new Utf8())
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
      return byDays()
    case DuckDBTypeId.TIMESTAMP:
      return bySixtyFourBits(new TimestampMicrosecond(), value => (value as DuckDBTimestampValue).micros)
    case DuckDBTypeId.TIMESTAMP_TZ:
      return bySixtyFourBits(new TimestampMicrosecond('UTC'), value => (value as DuckDBTimestampValue).micros)
    case DuckDBTypeId.TIMESTAMP_MS:
      return bySixtyFourBits(new TimestampMicrosecond(), value => (value as { millis: bigint }).millis * 1000n)
    case DuckDBTypeId.LIST:
      if ((type as DuckDBListType).valueType.typeId === DuckDBTypeId.VARCHAR) return byStringList()
      return byJson(type)
    default:
      return byJson(type)
  }
}

function byBuilder(type: DataType): ColumnMapping {
  return { type, toData: values => vectorFromArray(values as unknown[], type).data[0] ?? makeData({ type, length: 0 }) }
}

/** Arrow's own builder multiplies a timestamp by 1000 through a double, so the words are filled in here. */
function bySixtyFourBits(type: Int64 | TimestampMicrosecond, read: (value: DuckDBValue) => bigint): ColumnMapping {
  return {
    type,
    toData: values => {
      const data = BigInt64Array.from(values, value => (value === null ? 0n : read(value)))
      return makeData({ type: type as Int64, length: values.length, ...validity(values), data })
    },
  }
}

function byDays(): ColumnMapping {
  const type = new DateDay()
  return {
    type,
    toData: values => {
      const data = Int32Array.from(values, value => (value === null ? 0 : (value as DuckDBDateValue).days))
      return makeData({ type, length: values.length, ...validity(values), data })
    },
  }
}

function byDecimal(precision: number, scale: number, read: (value: DuckDBValue) => bigint): ColumnMapping {
  const type = new Decimal(scale, precision, 128)
  return {
    type,
    toData: values => {
      const words = new BigUint64Array(values.length * 2)
      for (const [i, value] of values.entries()) {
        const unscaled = value === null ? 0n : read(value)
        words[i * 2] = BigInt.asUintN(64, unscaled)
        words[i * 2 + 1] = BigInt.asUintN(64, unscaled >> 64n)
      }
      return makeData({ type, length: values.length, ...validity(values), data: new Uint32Array(words.buffer) })
    },
  }
}

function byStringList(): ColumnMapping {
  const type = new List(new Field('item', new Utf8(), true))
  return {
    type,
    toData: values => {
      const lists = values.map(value =>
        value === null ? null : ((value as DuckDBListValue).items as (string | null)[]),
      )
      return vectorFromArray(lists, type).data[0] ?? makeData({ type, length: 0 })
    },
  }
}

/** Types that no saved query answers with: as JSON text. */
function byJson(type: DuckDBType): ColumnMapping {
  const text = (value: DuckDBValue) =>
    value === null ? null : JSON.stringify(JsonDuckDBValueConverter(value, type, JsonDuckDBValueConverter))
  const utf8 = byBuilder(new Utf8())
  return { type: utf8.type, toData: values => utf8.toData(values.map(text)) }
}

function validity(values: readonly DuckDBValue[]): { readonly nullCount: number; readonly nullBitmap: Uint8Array } {
  const nullBitmap = new Uint8Array((values.length + 7) >> 3)
  let nullCount = 0
  for (const [i, value] of values.entries()) {
    if (value === null) nullCount++
    else nullBitmap[i >> 3] = (nullBitmap[i >> 3] as number) | (1 << (i & 7))
  }
  return { nullCount, nullBitmap }
}
