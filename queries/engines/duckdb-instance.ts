import { realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type * as DuckDb from '@duckdb/node-api'
import type { DuckDBInstance } from '@duckdb/node-api'
import { privateFolder } from '../../store/durable.js'
import { DATA_PREFIX, DERIVED_PREFIX } from '../../transform/layout.js'
import { literalPath } from './file-list.js'
import { quoted } from './literal.js'

/** Nothing calls out: what an extension would be needed for fails, instead of being fetched. */
const CALLS_NOBODY = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
}

/**
 * What is freed goes back to the system: else as much again as DuckDB may hold stays with the process, for it counts
 * only what is in use.
 */
const KEEPS_NOTHING = { allocator_background_threads: 'true' }

/**
 * Statements that give back to the system what DuckDB has freed, as it does where its threads end; by itself it does so
 * seconds later, when as much again has been taken: measured, of a million items 400 MB.
 */
export const GIVE_BACK = 'set threads = 1;\nreset threads'

/**
 * A window over all rows of a group stays one: DuckDB would read the table a second time for it, and join. Measured,
 * our statements took a tenth more for that, of one item and of many.
 */
const READS_ONCE = { disabled_optimizers: 'window_self_join' }

/**
 * DuckDB's client, loaded when it is needed: it takes longer to load than most commands to run. It is CommonJS, which
 * an `import` reads once more to find its names: that took longer than to load it.
 */
export function duckDbClient(): typeof DuckDb {
  return createRequire(import.meta.url)('@duckdb/node-api') as typeof DuckDb
}

/** A DuckDB that fetches no extension, in memory or in a file. */
export async function openDuckDb(
  path = ':memory:',
  settings: Readonly<Record<string, string>> = {},
): Promise<DuckDBInstance> {
  return duckDbClient().DuckDBInstance.create(path, { ...CALLS_NOBODY, ...KEEPS_NOTHING, ...READS_ONCE, ...settings })
}

/** What DuckDB holds of an archive where nobody says otherwise: with all around it a command stays below 1 GB. */
export const MEMORY = '448MB'

/**
 * How Parquet is compressed. Measured of audit rows, day by day and by item, this level takes a third less of the CPU
 * than DuckDB's own choice, which is 3, and up to 8 % less room.
 */
export const COMPRESSION = 'compression zstd, compression_level 1'

/**
 * A folder for what does not fit in memory: images among it, so it is for its owner alone, and the next one takes along
 * what a process left that was killed.
 */
export class SpillFolder {
  readonly path = privateFolder('itemtrail-memory-')

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/**
 * Statements that close a DuckDB to everything but the rows of an archive and its copies, for good: no other file, no
 * extension. A path is looked at after its links were followed, so a link in there leads nowhere either.
 */
export function confinement(root: string): readonly string[] {
  const paths = [DATA_PREFIX, DERIVED_PREFIX].map(name => join(realPath(root), name))
  // the engine holds a pattern, as a path is written, against this list before it looks what it finds
  const folders = [...new Set([...paths, ...paths.map(literalPath)])].map(quoted)
  return [`set allowed_directories = [${folders.join(', ')}]`, 'set enable_external_access = false']
}

/** From then on no statement can change a setting. Files are out of reach for good without it. */
export const LOCK_SETTINGS = 'set lock_configuration = true'

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
