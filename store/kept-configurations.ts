import type { FileError } from '../config/gate.js'
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { configurationPrefix } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { Objects } from './objects.js'
import { readEach } from './read-each.js'

/** The configurations that an archive keeps of a table, and the files that are none and stand for nothing. */
export interface KeptConfigurations {
  readonly versions: readonly TableConfiguration[]
  readonly problems: readonly FileError[]
}

/** Reads the configurations that rows of a table were made under, as the archive keeps them. */
export async function readKept(archive: Objects, table: string): Promise<KeptConfigurations> {
  const { read, problems } = await readEach(archive, configurationPrefix(table), readKeptConfiguration)
  return { versions: read, problems }
}

/** The same where every one of them counts. Throws the `FileError` of a file that is none. */
export async function keptConfigurations(archive: Objects, table: string): Promise<readonly TableConfiguration[]> {
  const { versions, problems } = await readKept(archive, table)
  if (problems[0] !== undefined) throw problems[0]
  return versions
}
