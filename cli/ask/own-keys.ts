import { existsSync } from 'node:fs'
import type { Configuration } from '../../config/configuration.js'
import type { FolderKeys } from '../../erasure/folder-keys.js'
import { checkOwnKeys } from '../../erasure/own-keys.js'
import { DiskArchive } from '../../store/folder.js'
import { SealingError } from '../../transform/sealed-field.js'
import { CommandError, EXIT } from '../io.js'
import { type ArchiveKeys, keyFolder, openKeyStore } from './key-store.js'

/** The key store that is configured, which is the archive's own. Throws `CommandError`, `SealingError`. */
export async function openOwnKeys(configuration: Configuration | undefined, root: string): Promise<FolderKeys> {
  const keys = openKeyStore(configuration, root)
  try {
    if (existsSync(root)) await checkOwnKeys(new DiskArchive(root), keys)
  } catch (error) {
    if (!(error instanceof SealingError)) throw error
    const hint = '"erasure": {"keys": FOLDER} names the store that rows were sealed with'
    throw new CommandError(error.message, EXIT.unchecked, hint)
  }
  return keys
}

/** The keys of persons of an archive in a folder. */
export function keysOfFolder(configuration: Configuration | undefined, root: string): ArchiveKeys {
  return {
    tokenOf: async id => (await openOwnKeys(configuration, root)).tokenOf(id),
    open: () => openOwnKeys(configuration, root),
  }
}

/** Looks at the store before rows are written, or keys made into tokens. Where none is there, neither can be. */
export async function lookAtKeys(configuration: Configuration | undefined, root: string): Promise<void> {
  if (configuration?.erasure === undefined || !existsSync(keyFolder(configuration, root))) return
  await openOwnKeys(configuration, root)
}

/** The same before a question, whose keys may be asked for as tables have them. */
export async function lookAtTokens(configuration: Configuration | undefined, root: string): Promise<void> {
  const tables = [...(configuration?.tables.values() ?? [])]
  if (tables.some(({ keyIsPersonal }) => keyIsPersonal !== undefined)) await lookAtKeys(configuration, root)
}
