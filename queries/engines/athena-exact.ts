import type { ColumnInfo } from '@aws-sdk/client-athena'
import type { Chunk } from './arrow-columns.js'
import { typeOf } from './athena-types.js'
import { quotedName } from './literal.js'
import type { OrderItem, StatementText } from './statement.js'

/**
 * What gives a value of this type unchanged as text, where Athena's own text does not: an array's `[a, b]` may be one
 * element or two and `null` may be a word, and a local time with its zone is two moments in an hour of autumn.
 */
function exactForm(column: ColumnInfo, name: string): string | undefined {
  const type = typeOf(column)
  if (type === 'array' || type === 'map' || type === 'row') return `json_format(cast(${name} as json))`
  return type === 'timestamp with time zone' ? `cast(${name} at time zone 'UTC' as varchar)` : undefined
}

/** True where Athena's text of a column's values is exact as it is. */
export function isPlain(column: ColumnInfo): boolean {
  return exactForm(column, '') === undefined
}

/**
 * A query inside a SELECT of its columns in their exact form. Such a SELECT loses the order of what is inside it, so
 * the order is said again outside. There only the answer's columns have names: what else the query is ordered by is put
 * into its answer, behind the other columns.
 */
export function inExactForm({ text, orderBy, listEnd }: StatementText, columns: readonly ColumnInfo[]): string {
  const names = aliases(columns)
  const outputs = new Set(columns.map(({ Name = '' }) => Name.toLowerCase()))
  const hidden = listEnd === undefined ? [] : orderBy.filter(item => !isOutput(item, outputs))
  const order = orderBy.map(item => {
    const place = hidden.indexOf(item)
    const ordinal = /^\d+$/.test(item.expression) ? names[Number(item.expression) - 1] : undefined
    return `${place < 0 ? (ordinal ?? item.expression) : hiddenName(place)} ${item.direction}`.trim()
  })
  const added = hidden.map(({ expression }, i) => `, ${expression} as ${hiddenName(i)}`).join('')
  const inner = added === '' ? text : `${text.slice(0, listEnd).trimEnd()}${added}\n${text.slice(listEnd)}`
  // called otherwise than inside, where a name in the ORDER BY is the column itself and not its exact form
  const list = [
    ...columns.map((column, i) => `${exactForm(column, names[i] as string) ?? names[i]} as exact_${i}`),
    ...arraysAmong(columns).map(i => `typeof(${names[i]}) as type_${i}`),
  ]
  return `select ${list.join(', ')}
from (
${inner}
) as itemtrail_answer (${[...names, ...hidden.map((_, i) => hiddenName(i))].join(', ')})${
    order.length === 0 ? '' : `\norder by ${order.join(', ')}`
  }`
}

/**
 * The columns with what their arrays hold, `array(varchar)`. Athena says only that they are arrays; the rest comes
 * behind the columns of the exact form, in each row.
 */
export function withElementTypes(columns: readonly ColumnInfo[], { columns: values }: Chunk<string>): ColumnInfo[] {
  const arrays = arraysAmong(columns)
  return columns.map((column, i) => {
    const type = values[columns.length + arrays.indexOf(i)]?.[0]
    return arrays.includes(i) && type ? { ...column, Type: type } : column
  })
}

function arraysAmong(columns: readonly ColumnInfo[]): readonly number[] {
  return columns.flatMap((column, i) => (typeOf(column) === 'array' ? [i] : []))
}

/** A name in an ORDER BY is a column of the answer before it is one of a table. */
function isOutput({ expression, names }: OrderItem, outputs: ReadonlySet<string>): boolean {
  return /^\d+$/.test(expression) || names.some(name => outputs.has(name))
}

function hiddenName(i: number): string {
  return `itemtrail_order_${i}`
}

/** The columns' own names, quoted; a name that came before gets one that nothing refers to. */
function aliases(columns: readonly ColumnInfo[]): readonly string[] {
  const seen = new Set<string>()
  return columns.map(({ Name = '' }, i) => {
    const isNew = Name !== '' && !seen.has(Name.toLowerCase())
    seen.add(Name.toLowerCase())
    return isNew ? quotedName(Name) : `"itemtrail_${i}"`
  })
}
