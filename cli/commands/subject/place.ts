import { userInfo } from 'node:os'
import type { Configuration } from '../../../config/configuration.js'
import type { FolderKeys } from '../../../erasure/folder-keys.js'
import type { DiskArchive } from '../../../store/folder.js'
import { tablesIn } from '../../../store/tables.js'
import { existingArchive } from '../../ask/journal-options.js'
import { openKeyStore } from '../../ask/key-store.js'
import { loadConfiguration } from '../../ask/workspace.js'
import { CommandError, EXIT, type Options } from '../../io.js'

/** A person, with where keys and rows are. */
export interface SubjectPlace {
  readonly id: string
  readonly token: string
  readonly archive: DiskArchive
  readonly keys: FolderKeys
  /** The tables that have erasable values, and those that the archive has rows of. */
  readonly tables: readonly string[]
  readonly configuration: Configuration
}

/** Opens what an act about a person takes. Throws a `CommandError` for an act without a person. */
export async function openSubject(id: string | undefined, options: Options): Promise<SubjectPlace> {
  if (id === undefined || id === '') throw new CommandError('no person is said, expected the id that the items have')
  const { root, archive } = existingArchive(options)
  const configuration = loadConfiguration(options)
  const keys = openKeyStore(configuration, root)
  if (configuration === undefined) throw new CommandError('no configuration is there', EXIT.usage)
  const erasable = [...configuration.tables.values()].filter(table => table.erasable !== undefined)
  const tables = new Set([...erasable.map(({ table }) => table), ...(await tablesIn(archive)).keys()])
  return { id, token: keys.tokenOf(id), archive, keys, tables: [...tables].sort(), configuration }
}

/** Who does it: as the flags say, else as the system calls the user. */
export function whoActs({ by }: Options): string {
  return typeof by === 'string' && by !== '' ? by : userInfo().username
}

/** What a flag has to say. Throws a `CommandError` where it says nothing. */
export function required(options: Options, name: string, what: string): string {
  const value = options[name]
  if (typeof value === 'string' && value.trim() !== '') return value
  throw new CommandError(`--${name} is missing, expected ${what}`)
}
