import type { TableConfiguration } from '../transform/table-configuration.js'

/** The part of a configuration that says what the flat columns mean, and which item a row is of. */
type KeptMeaning = Pick<TableConfiguration, 'keys' | 'columns' | 'keyIsPersonal'>
type ColumnConfiguration = Pick<KeptMeaning, 'keys' | 'columns'>

/**
 * What a table's configuration may not change any more: a column that the archive already holds keeps its type and its
 * attribute for good, as rows of both kinds would lie under one name; and an item keeps its key, or its token.
 */
export function checkEvolution(kept: readonly KeptMeaning[], table: TableConfiguration): readonly string[] {
  return [...columnProblems(kept, table), ...keyProblems(kept, table)]
}

function keyProblems(kept: readonly KeptMeaning[], { table, keyIsPersonal }: TableConfiguration): readonly string[] {
  const shown = (names: readonly string[] | undefined) => JSON.stringify([...(names ?? [])].sort())
  const other = kept.find(before => shown(before.keyIsPersonal) !== shown(keyIsPersonal))
  if (other === undefined) return []
  return [
    `table ${table} has keyIsPersonal ${shown(keyIsPersonal)}, but the archive has rows made with ${shown(other.keyIsPersonal)}: each item would go on as another one, so it is said before the first row or not at all`,
  ]
}

function columnProblems(kept: readonly ColumnConfiguration[], table: TableConfiguration): readonly string[] {
  const before = kept.flatMap(describeColumns)
  return describeColumns(table).flatMap(({ name, meaning }) => {
    const other = before.find(column => column.name === name && column.meaning !== meaning)
    return other === undefined
      ? []
      : [
          `table ${table.table} declares the column ${name} as ${meaning}, but the archive holds it as ${other.meaning}: the new one needs a new name`,
        ]
  })
}

interface DescribedColumn {
  readonly name: string
  readonly meaning: string
}

function describeColumns(table: ColumnConfiguration): readonly DescribedColumn[] {
  return [
    ...table.keys.map(({ column, attribute }) => ({
      name: `key_${column}`,
      meaning: `key ${describePath([attribute])}`,
    })),
    ...table.columns.map(({ column, path, type, unit }) => ({
      name: `old_${column}`,
      meaning: `${type}${unit === undefined ? '' : ` in ${unit}`} from ${describePath(path)}`,
    })),
  ]
}

/** Names of attributes may hold dots, so each is quoted. */
function describePath(path: readonly string[]): string {
  return `attribute ${path.map(name => JSON.stringify(name)).join('.')}`
}
