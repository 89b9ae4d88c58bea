import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { nameTables, tableIdentifier } from '../transform/table-names.js'
import { readKept } from './kept-configurations.js'
import type { Objects } from './objects.js'
import { tablesOf } from './table-objects.js'

/** The tables of an archive by name, as they are configured or else as the archive knows them. */
export async function tablesIn(
  archive: Objects,
  configured: Iterable<TableConfiguration> = [],
): Promise<ReadonlyMap<string, TableConfiguration>> {
  const known = new Map([...configured].map(table => [table.table, table]))
  const names = [...new Set([...(await tablesOf(archive)), ...known.keys()])].sort()
  const tables = nameTables(await Promise.all(names.map(name => tableAs(archive, name, known.get(name)))))
  return new Map(tables.map(table => [table.table, table]))
}

/**
 * A table as it is configured, if it is. Its keys name persons where its rows say so, whatever is configured here: what
 * is asked by a clear name would seem never to have been.
 */
async function tableAs(
  archive: Objects,
  name: string,
  configured: TableConfiguration | undefined,
): Promise<TableConfiguration> {
  if (configured?.keyIsPersonal !== undefined) return configured
  const kept = await keptTable(archive, name)
  if (configured === undefined) return kept
  return kept.keyIsPersonal === undefined ? configured : { ...configured, keyIsPersonal: kept.keyIsPersonal }
}

/** A table as the archive knows it, where nothing is configured here: the columns of all configurations it keeps. */
export async function keptTable(archive: Objects, table: string): Promise<TableConfiguration> {
  const kept = (await readKept(archive, table)).versions
  const columns = new Map(kept.flatMap(version => version.columns).map(column => [column.column, column]))
  const keyIsPersonal = kept.find(version => version.keyIsPersonal !== undefined)?.keyIsPersonal
  const known = { ...unconfiguredTable(table), keys: kept.at(-1)?.keys ?? [], columns: [...columns.values()] }
  return keyIsPersonal === undefined ? known : { ...known, keyIsPersonal }
}

/** The table of a name, in DynamoDB or in SQL, in any case, unless several names differ in case alone. */
export function findTable(
  tables: ReadonlyMap<string, TableConfiguration>,
  name: string,
): TableConfiguration | undefined {
  const alike = [...tables.values()].filter(table =>
    [table.table, tableIdentifier(table)].some(known => known.toLowerCase() === name.toLowerCase()),
  )
  return tables.get(name) ?? (alike.length === 1 ? alike[0] : undefined)
}
