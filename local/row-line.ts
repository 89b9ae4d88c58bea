import type { Column } from '../transform/audit-row.js'
import { isObject } from '../transform/json.js'

const BIGINT = /^-?\d{1,19}$/
const DECIMAL = /^-?\d+(\.\d+)?$/
const DOUBLE = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/
const TIMESTAMP = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}$/

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
    if (!fits(value, column))
      return `column ${name} has ${JSON.stringify(value)?.slice(0, 60)}, expected ${column.type}`
  }
  for (const column of columns.values()) {
    if (column.required && row[column.name] === undefined) return `column ${column.name} is missing`
  }
  return undefined
}

function fits(value: unknown, { type }: Column): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'bigint':
      return typeof value === 'number' && BIGINT.test(String(value))
    case 'boolean':
      return typeof value === 'boolean'
    case 'timestamp':
      return typeof value === 'string' && TIMESTAMP.test(value)
    case 'double':
      return typeof value === 'string' && DOUBLE.test(value)
    case 'array<string>':
      return Array.isArray(value) && value.every(element => typeof element === 'string')
    default:
      return typeof value === 'string' && DECIMAL.test(value)
  }
}
