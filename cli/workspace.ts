import { existsSync, statSync } from 'node:fs'
import { type Configuration, readConfiguration } from '../config/configuration.js'
import { DuckDbEngine, keptConfigurations, tablesOf } from '../queries/duckdb.js'
import type { QueryEngine } from '../queries/engine.js'
import { type TableConfiguration, tableIdentifier, unconfiguredTable } from '../transform/table-configuration.js'
import { CommandError, EXIT, type Options } from './io.js'
import { nearest } from './nearest.js'

const DEFAULT_CONFIGURATION = 'itemtrail.config.json'

/** Flags that every command takes. */
export const ARCHIVE_OPTION = ['--archive <dir>', 'the archive', './archive'] as const
export const CONFIG_OPTION = ['--config <file>', `the configuration (${DEFAULT_CONFIGURATION} if it is there)`] as const

/** The archive folder that the flags name. */
export function archiveRoot(options: Options): string {
  return options.archive as string
}

/** The configuration that the flags name, or the one in the working folder, or none. Throws `ConfigurationError`. */
export function loadConfiguration(options: Options): Configuration | undefined {
  if (typeof options.config === 'string') return readConfiguration(options.config)
  return existsSync(DEFAULT_CONFIGURATION) ? readConfiguration(DEFAULT_CONFIGURATION) : undefined
}

/** An archive opened for questions, with what is configured for its tables. */
export interface Workspace {
  readonly root: string
  readonly engine: QueryEngine
  readonly configuration: Configuration | undefined
  readonly tables: readonly string[]
}

/** Opens the archive that the flags name, hands it to `ask`, and closes it. Throws `CommandError` where there is none. */
export async function withWorkspace<T>(options: Options, ask: (workspace: Workspace) => Promise<T>): Promise<T> {
  const root = archiveRoot(options)
  const configuration = loadConfiguration(options)
  if (!existsSync(root) || !statSync(root).isDirectory()) {
    throw new CommandError(
      `archive ${JSON.stringify(root)} is not there`,
      EXIT.unchecked,
      'itemtrail ingest FILE makes one, --archive names another',
    )
  }
  const configured = [...(configuration?.tables.values() ?? [])]
  const engine = await DuckDbEngine.open(root, configured)
  try {
    const tables = [...new Set([...tablesOf(root), ...configured.map(table => table.table)])].sort()
    return await ask({ root, engine, configuration, tables })
  } finally {
    engine.close()
  }
}

/** The table that a user names, whatever its case. Throws `CommandError` with the nearest names. */
export function findTable(workspace: Workspace, name: string): TableConfiguration {
  const { tables, configuration } = workspace
  const table = tables.includes(name)
    ? name
    : only(tables.filter(known => tableIdentifier(known) === tableIdentifier(name)))
  if (table === undefined) {
    throw new CommandError(
      `table ${JSON.stringify(name)} is not in the archive`,
      EXIT.usage,
      suggestion('table', name, tables),
    )
  }
  return configuration?.tables.get(table) ?? keptTable(workspace.root, table)
}

/** A table as the archive knows it, where nothing is configured here: the columns of all configurations it keeps. */
function keptTable(root: string, table: string): TableConfiguration {
  const kept = keptConfigurations(root, table)
  const columns = new Map(kept.flatMap(version => version.columns).map(column => [column.column, column]))
  return { ...unconfiguredTable(table), keys: kept.at(-1)?.keys ?? [], columns: [...columns.values()] }
}

function only<T>(values: readonly T[]): T | undefined {
  return values.length === 1 ? values[0] : undefined
}

/** A hint with the names that come nearest to what was typed. */
export function suggestion(kind: string, typed: string, known: readonly string[]): string {
  if (known.length === 0) return `the archive has no ${kind} yet`
  const near = nearest(typed, known)
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known: ${known.slice(0, 20).join(', ')}`
}
