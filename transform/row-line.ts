import type { Column, ColumnType } from './audit-row.js'
import { parseDecimalType } from './flat-column.js'
import { isObject } from './json.js'

const DECIMAL = /^-?0*(\d+)(?:\.(?=\d)(\d*?)0*)?$/
const DOUBLE = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}\.\d{3})$/

/**
 * Checks a row line against the columns before a converter sees it: given a wrong value a converter would round it in
 * silence or fail a whole object for one line. The answer says what is wrong, undefined where all is well.
 */
export function checkRowLine(line: string, columns: ReadonlyMap<string, Column>): string | undefined {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch {
    return 'line is not JSON'
  }
  if (!isObject(row)) return 'line is not a JSON object'
  for (const [name, value] of Object.entries(row)) {
    const column = columns.get(name)
    if (column === undefined) return `column ${JSON.stringify(name)} is not in the table`
    if (!fits(value, column, line))
      return `column ${name} has ${JSON.stringify(value)?.slice(0, 60)}, expected ${column.type}`
  }
  for (const column of columns.values()) {
    if (column.required && row[column.name] === undefined) return `column ${column.name} is missing`
  }
  return undefined
}

/** Whether a converter takes a value as it is in its column; `line` is the text it was parsed from. */
export function fits(value: unknown, { name, type }: Column, line: string): boolean {
  switch (type) {
    case 'string':
      return isText(value)
    case 'bigint':
      return Number.isInteger(value) && fitsBigint(value as number, name, line)
    case 'boolean':
      return typeof value === 'boolean'
    case 'timestamp':
      return typeof value === 'string' && isMoment(value)
    case 'double':
      return typeof value === 'string' && DOUBLE.test(value) && Number.isFinite(Number(value))
    case 'array<string>':
      return Array.isArray(value) && value.every(isText)
    default:
      return typeof value === 'string' && fitsDecimal(value, type)
  }
}

/** A lone surrogate is no UTF-8, and DuckDB would refuse the whole file for it. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed()
}

/** Beyond the whole numbers that a double holds, the text decides. In a string its quotes would be escaped. */
function fitsBigint(value: number, name: string, line: string): boolean {
  if (Number.isSafeInteger(value)) return true
  const text = new RegExp(`[{,]"${name}":(-?\\d+)[,}]`).exec(line)?.[1]
  return text !== undefined && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}

function fitsDecimal(value: string, type: Extract<ColumnType, `decimal${string}`>): boolean {
  const [, whole, fraction = ''] = DECIMAL.exec(value) ?? []
  if (whole === undefined) return false
  const [precision, scale] = parseDecimalType(type)
  return fraction.length <= scale && (whole === '0' ? 0 : whole.length) <= precision - scale
}

function isMoment(value: string): boolean {
  const [, date, time] = TIMESTAMP.exec(value) ?? []
  const text = `${date}T${time}Z`
  const moment = new Date(text)
  return !Number.isNaN(moment.getTime()) && moment.toISOString() === text
}
