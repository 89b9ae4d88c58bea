import { existsSync, statSync } from 'node:fs'
import { type Configuration, readConfiguration } from '../config/configuration.js'
import { DuckDbEngine, tablesOf } from '../queries/duckdb.js'
import type { QueryEngine } from '../queries/engine.js'
import { keptTable } from '../queries/tables.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import { CommandError, EXIT, type Options } from './io.js'
import { nearest } from './nearest.js'

const DEFAULT_CONFIGURATION = 'itemtrail.config.json'

const DEFAULT_ARCHIVE = './archive'

/** Flags that every command takes. */
export const ARCHIVE_OPTION = ['--archive <dir>', 'the archive', DEFAULT_ARCHIVE] as const
export const CONFIG_OPTION = ['--config <file>', `the configuration (${DEFAULT_CONFIGURATION} if it is there)`] as const

/** The archive folder that the flags name; it need not be there. Throws `CommandError` for a file. */
export function archiveRoot(options: Options): string {
  const root = options.archive as string
  if (existsSync(root) && !statSync(root).isDirectory())
    throw new CommandError(`archive ${JSON.stringify(root)} is a file, expected a folder`)
  return root
}

/** What a command that is told to the user needs to find the same archive. */
export function archiveFlag(root: string): string {
  return root === DEFAULT_ARCHIVE ? '' : ` --archive ${/^[\w./-]+$/.test(root) ? root : JSON.stringify(root)}`
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
  if (!existsSync(root)) {
    throw new CommandError(
      `archive ${JSON.stringify(root)} is not there`,
      EXIT.unchecked,
      'itemtrail ingest FILE makes one, --archive names another',
    )
  }
  const configured = [...(configuration?.tables.values() ?? [])]
  const engine = await openEngine(root, configured)
  try {
    const tables = [...new Set([...tablesOf(root), ...configured.map(table => table.table)])].sort()
    return await ask({ root, engine, configuration, tables })
  } finally {
    engine.close()
  }
}

/**
 * Opens the archive in a folder. An object that is damaged makes no answer, rather than one that lacks it: throws
 * `CommandError`.
 */
export async function openEngine(root: string, configured: readonly TableConfiguration[]): Promise<QueryEngine> {
  try {
    return await DuckDbEngine.open(root, configured)
  } catch (error) {
    // what the file system refuses names its file already
    if (!(error instanceof Error) || 'syscall' in error) throw error
    const [reason] = error.message.split('\n')
    throw new CommandError(
      `archive ${JSON.stringify(root)} cannot be read: ${reason}`,
      EXIT.unchecked,
      'an object of the archive is damaged; a copy of it, such as the bucket has, puts it right',
    )
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

function only<T>(values: readonly T[]): T | undefined {
  return values.length === 1 ? values[0] : undefined
}

/** A hint with the names that come nearest to what was typed. */
export function suggestion(kind: string, typed: string, known: readonly string[]): string {
  if (known.length === 0) return `the archive has no ${kind} yet`
  const near = nearest(typed, known)
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known: ${known.slice(0, 20).join(', ')}`
}
