import type { Configuration } from '../../config/configuration.js'
import { FolderFences } from '../../erasure/fences.js'
import { FolderKeys } from '../../erasure/folder-keys.js'
import { sealingOf } from '../../erasure/seal-image.js'
import { isWithin } from '../../journal/key-file.js'
import { type Sealing, SealingError } from '../../transform/sealed-field.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT } from '../io.js'

/** The key store that is configured, and what the archive knows of erasures. Throws `CommandError`, `SealingError`. */
export function openKeyStore(configuration: Configuration | undefined, root: string): FolderKeys {
  const folder = keyFolder(configuration, root)
  const fences = new FolderFences(root)
  return FolderKeys.open(folder, name => fences.of(name))
}

/** The folder of the key store. Throws a `CommandError` where none is configured, or it lies in the archive. */
export function keyFolder(configuration: Configuration | undefined, root: string): string {
  const folder = configuration?.erasure?.keys
  if (folder === undefined)
    throw new CommandError(
      'no key store is configured, expected "erasure": {"keys": FOLDER} in the configuration',
      EXIT.usage,
    )
  if (isWithin(folder, root))
    throw new CommandError(
      `key store ${JSON.stringify(folder)} is inside the archive ${JSON.stringify(root)}, expected a place outside`,
      EXIT.usage,
      'a copy of the archive would be a copy of the keys, and of an archive nothing is deleted',
    )
  return folder
}

/** A configuration whose tables seal what is erasable. The key store is opened when the first value is sealed. */
export function withSealing(configuration: Configuration, root: string): Configuration {
  if (configuration.erasure === undefined) return configuration
  let keys: FolderKeys | undefined
  const sealed = (table: TableConfiguration): TableConfiguration => {
    if (table.erasable === undefined) return table
    let opened: Sealing | undefined
    const open = () => {
      keys ??= openOrRefuse(configuration, root)
      opened ??= sealingOf(table, keys)
      return opened
    }
    return { ...table, seal: { image: (...image) => open().image(...image), key: (...key) => open().key(...key) } }
  }
  return {
    ...configuration,
    tables: new Map([...configuration.tables].map(([name, table]) => [name, sealed(table)])),
  }
}

/** Tables of an archive whose keys are elsewhere: with those of this desk a person would have another token. */
export function withoutKeys(tables: Iterable<TableConfiguration>): readonly TableConfiguration[] {
  return [...tables].map(({ seal: _, ...table }) => table)
}

/** What is wrong with the place is no fault of the record that is being sealed. */
function openOrRefuse(configuration: Configuration, root: string): FolderKeys {
  try {
    return openKeyStore(configuration, root)
  } catch (error) {
    if (error instanceof CommandError) throw new SealingError(error.message, { cause: error })
    throw error
  }
}
