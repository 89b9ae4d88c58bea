import { deliveriesIdentifier, type NamedTable } from '../../transform/table-names.js'

/**
 * A text as an SQL literal, for what no `?` can stand for: paths, and the properties of a table. Values are always
 * bound.
 */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name as SQL writes it, whatever is in it: of a table, a view, a column. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** What a statement calls a table's rows as they were delivered. */
export function deliveriesOf(table: NamedTable): string {
  return quotedName(deliveriesIdentifier(table))
}
