import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import { PARTITION_COLUMN } from '../transform/layout.js'

/**
 * The columns that every table has, and some configured ones, for the `select` of what stands in the place of a table's
 * rows: each as it is in `rows`, or as `replaced` makes it.
 */
export function columnsReplacing(
  rows: string,
  replaced: Readonly<Record<string, string>>,
  configured: readonly string[] = [],
): string {
  const names = [...AUDIT_COLUMNS.map(({ name }) => name), PARTITION_COLUMN, ...configured]
  return names
    .map(name => (Object.hasOwn(replaced, name) ? `${replaced[name]} as ${name}` : `${rows}.${name}`))
    .join(',\n      ')
}

/** A table's rows, in place of the table, where a question only asks whether there is an image: its hash knows. */
export function rowsWithoutImages(changes: string): string {
  const columns = columnsReplacing('delivered', {
    old_image: `case when delivered.old_hash is not null then '' end`,
    new_image: `case when delivered.new_hash is not null then '' end`,
  })
  return `(
    select
      ${columns}
    from ${changes} as delivered
  )`
}
