import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { nameTables, tableIdentifier } from '../transform/table-names.js'
import { readKept } from './kept-configurations.js'
import { tablesOf } from './parquet-files.js'

/** The tables of an archive in a folder by name, as they are configured or else as the archive knows them. */
export function tablesIn(
  root: string,
  configured: Iterable<TableConfiguration> = [],
): ReadonlyMap<string, TableConfiguration> {
  const known = new Map([...configured].map(table => [table.table, table]))
  const names = [...new Set([...tablesOf(root), ...known.keys()])].sort()
  const tables = nameTables(names.map(name => known.get(name) ?? keptTable(root, name)))
  return new Map(tables.map(table => [table.table, table]))
}

/** A table as the archive knows it, where nothing is configured here: the columns of all configurations it keeps. */
export function keptTable(root: string, table: string): TableConfiguration {
  const kept = readKept(root, table).versions
  const columns = new Map(kept.flatMap(version => version.columns).map(column => [column.column, column]))
  return { ...unconfiguredTable(table), keys: kept.at(-1)?.keys ?? [], columns: [...columns.values()] }
}

/** The table of a name, in DynamoDB or in SQL, whatever its case where that leaves one only. */
export function findTable(
  tables: ReadonlyMap<string, TableConfiguration>,
  name: string,
): TableConfiguration | undefined {
  const alike = [...tables.values()].filter(table =>
    [table.table, tableIdentifier(table)].some(known => known.toLowerCase() === name.toLowerCase()),
  )
  return tables.get(name) ?? (alike.length === 1 ? alike[0] : undefined)
}
