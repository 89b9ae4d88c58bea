import type { DataType, Table } from 'apache-arrow'
// the whole of Arrow takes longer to load than most commands to run
import { DataType as Type } from 'apache-arrow/type'

/**
 * An answer all of whose times are known to be of UTC, with that said in its types: neither a table nor a view of
 * Athena can have a column that carries its zone.
 */
export async function inUtc(table: Table): Promise<Table> {
  if (!table.schema.fields.some(({ type }) => isPlain(type))) return table
  const { zoned } = await import('./arrow-columns.js')
  return zoned(table, isPlain)
}

function isPlain(type: DataType): boolean {
  return Type.isTimestamp(type) && type.timezone === null
}
