import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FileError, readBounded } from '../config/gate.js'
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { configurationPrefix } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'

/** The configurations that an archive keeps of a table, and the files that are none and stand for nothing. */
export interface KeptConfigurations {
  readonly versions: readonly TableConfiguration[]
  readonly problems: readonly FileError[]
}

/** Reads the configurations that rows of a table were made under, as the archive keeps them. */
export function readKept(root: string, table: string): KeptConfigurations {
  const prefix = configurationPrefix(table)
  const folder = join(root, prefix)
  const versions: TableConfiguration[] = []
  const problems: FileError[] = []
  if (!existsSync(folder)) return { versions, problems }
  const names = readdirSync(folder).filter(name => name.endsWith('.json'))
  for (const name of names.sort()) {
    try {
      const content = readBounded(join(folder, name), `${prefix}${name}`)
      if (content !== undefined) versions.push(readKeptConfiguration(content, `${prefix}${name}`))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      problems.push(error)
    }
  }
  return { versions, problems }
}

/** The same where every one of them counts. Throws the `FileError` of a file that is none. */
export function keptConfigurations(root: string, table: string): readonly TableConfiguration[] {
  const { versions, problems } = readKept(root, table)
  if (problems[0] !== undefined) throw problems[0]
  return versions
}
