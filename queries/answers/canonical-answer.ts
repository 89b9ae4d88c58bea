import { createHash, hash } from 'node:crypto'
import { DataType, type Table } from 'apache-arrow'
import { type Row, rowsOf, type Value } from '../engines/rows.js'

/** A column's name and its type in one word: the first line of an answer's canonical form. */
export type AnswerColumnType = readonly [name: string, type: string]

/** An answer reduced to what two answers are compared by. */
export interface Fingerprint {
  readonly columns: readonly AnswerColumnType[]
  readonly rows: number
  /** SHA-256 (lower hex) of the canonical form. */
  readonly sha256: string
  /** `answerRowHash` of each row in order; null where there are more than `MAX_ROW_HASHES`. */
  readonly rowHashes: readonly string[] | null
}

/** Rows up to which a receipt can tell which of them are new or gone. */
export const MAX_ROW_HASHES = 10_000

/**
 * The canonical form is UTF-8 lines, each ended by a line feed: the columns as `[["name","type"],...]`, then each row
 * in order as a JSON array without white space (`canonicalRow`).
 */
export function fingerprintOf(table: Table): Fingerprint {
  const columns = columnTypesOf(table)
  const whole = createHash('sha256').update(`${JSON.stringify(columns)}\n`)
  const hashes: string[] = []
  for (const row of rowsOf(table)) {
    const line = canonicalRow(columns, row)
    whole.update(`${line}\n`)
    if (table.numRows <= MAX_ROW_HASHES) hashes.push(hashLine(line))
  }
  const rowHashes = table.numRows <= MAX_ROW_HASHES ? hashes : null
  return { columns, rows: table.numRows, sha256: whole.digest('hex'), rowHashes }
}

/** The columns of an answer, with types that are the same on every engine. */
export function columnTypesOf(table: Table): readonly AnswerColumnType[] {
  return table.schema.fields.map(({ name, type }) => [name, typeName(type)])
}

/** The first 16 hex of the SHA-256 of a row's line. */
export function answerRowHash(columns: readonly AnswerColumnType[], row: Row): string {
  return hashLine(canonicalRow(columns, row))
}

function hashLine(line: string): string {
  return hash('sha256', line).slice(0, 16)
}

/**
 * A row as a JSON array: texts as `JSON.stringify` writes them, whole numbers as their digits, doubles as JavaScript
 * writes them (`"NaN"`, `"Infinity"`, `"-Infinity"` as texts), decimals as texts with all their digits, times as ISO
 * 8601 in UTC with three digits, or six where there are microseconds, dates as `YYYY-MM-DD`, lists as arrays.
 */
function canonicalRow(columns: readonly AnswerColumnType[], row: Row): string {
  return `[${columns.map(([name]) => canonicalValue(row[name] ?? null)).join(',')}]`
}

function canonicalValue(value: Value): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  return JSON.stringify(value)
}

function typeName(type: DataType): string {
  if (DataType.isBool(type)) return 'boolean'
  if (DataType.isInt(type)) return type.bitWidth === 64 ? 'bigint' : 'integer'
  if (DataType.isFloat(type)) return 'double'
  if (DataType.isDecimal(type)) return `decimal(${type.precision},${type.scale})`
  if (DataType.isDate(type)) return 'date'
  if (DataType.isTimestamp(type)) return type.timezone === null ? 'timestamp' : 'timestamp with time zone'
  return DataType.isList(type) ? 'array(varchar)' : 'varchar'
}
