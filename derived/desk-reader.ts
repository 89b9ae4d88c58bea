import type { Derived } from '../queries/engines/engine.js'
import { DerivedFolder, daysIn } from './derived-folder.js'
import { DuckDbTables } from './duckdb-tables.js'
import { whyForeign } from './own-copy.js'
import { DerivedReader } from './reader.js'

/**
 * What is derived from the tables of an archive in a folder, for an engine that reads it. Each table is looked at
 * once.
 */
export function derivedIn(root: string): Derived {
  return new DerivedReader({
    list: table => daysIn(root, table),
    derived: new DerivedFolder(root),
    tablesOf: ({ table }) => new DuckDbTables(root, table),
    whyForeign: (key, text) => whyForeign(root, key, text),
    freshMs: Number.POSITIVE_INFINITY,
  })
}
