import type { Configuration } from '../config/configuration.js'
import { checkEvolution } from '../config/evolution.js'
import { describeOtherRegion, regionInArchive } from '../delivery/table-origin.js'
import { DiskArchive } from '../store/folder.js'
import { keptConfigurations } from '../store/kept-configurations.js'
import { CommandError, EXIT } from './io.js'

/**
 * Throws a `CommandError` for columns that changed: rows of both kinds would lie under one name for good, so this is asked
 * before anything is read.
 */
export async function checkColumns(root: string, configuration: Configuration | undefined): Promise<void> {
  const archive = new DiskArchive(root)
  const tables = [...(configuration?.tables.values() ?? [])]
  const problems = []
  for (const table of tables) problems.push(...checkEvolution(await keptConfigurations(archive, table.table), table))
  if (problems.length > 0) throw new CommandError(problems.join('\n'), EXIT.usage)
}

/** Throws a `CommandError` where an archive holds changes of another region's stream of the same table. */
export async function checkRegion(root: string, table: string, region: string | null): Promise<void> {
  const problem = describeOtherRegion(table, await regionInArchive(new DiskArchive(root), table), region ?? undefined)
  if (problem !== undefined)
    throw new CommandError(problem, EXIT.usage, 'give the other region an archive of its own: --archive FOLDER')
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
