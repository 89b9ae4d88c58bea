import type { Configuration } from '../config/configuration.js'
import { checkEvolution } from '../config/evolution.js'
import { keptConfigurations } from '../queries/kept-configurations.js'
import { CommandError, EXIT } from './io.js'

/**
 * Throws a `CommandError` for columns that changed: rows of both kinds would lie under one name for good, so this is asked
 * before anything is read.
 */
export function checkColumns(root: string, configuration: Configuration | undefined): void {
  const tables = [...(configuration?.tables.values() ?? [])]
  const problems = tables.flatMap(table => checkEvolution(keptConfigurations(root, table.table), table))
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
}

/** What kept an archive from being written, with its name, which the errors of DuckDB and of a full disk lack; `todo` is what to do then. */
export function describeWriteFailure(error: unknown, root: string, todo: string): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException
  if (syscall === 'write') return Object.assign(error as Error, { path: root })
  // DuckDB, which writes the Parquet objects, has no codes
  if (!/^[A-Z]\w+( \w+)* Error: /.test(message)) return error
  const text = `archive ${JSON.stringify(root)} cannot be written: ${message.split('\n')[0]}`
  return new CommandError(text, EXIT.findings, `what was archived before is whole; ${todo}`)
}
