import { FolderFences } from '../erasure/fences.js'
import { FolderKeys } from '../erasure/folder-keys.js'
import { openingFor } from '../erasure/opening.js'
import { checkOwnKeys } from '../erasure/own-keys.js'
import { AS_STORED, type Unsealing } from '../erasure/reveal.js'
import { sealingOf } from '../erasure/seal-image.js'
import { isWithin } from '../journal/key-file.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { DiskArchive } from '../store/folder.js'
import { SealingError } from '../transform/sealed-field.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { ArchiveError } from './archive-error.js'

/** How a program is told of what is sealed. */
export interface PersonOptions {
  /**
   * The folder of the key store, outside the archive: items whose keys name persons are then asked for as their table
   * has them.
   * @default - what is sealed stays so, and such items are asked for by their tokens
   */
  readonly keys?: string | undefined
  /**
   * Whether images, and texts of rows, have what is sealed opened by these keys. Verdicts, hashes, receipts and Arrow
   * tables are of what is stored all the same.
   * @default false
   */
  readonly reveal?: boolean | undefined
}

/** What an answer about some tables makes of what is sealed in it. */
export type OpenSealed = (engine: QueryEngine, tables: readonly TableConfiguration[]) => Promise<Unsealing>

/** Leaves everything as it is stored. */
export const KEPT_CLOSED: OpenSealed = async () => AS_STORED

/**
 * Opens the key store of an archive in a folder. Throws an `ArchiveError` for what is none, is another archive's, or
 * lies in the archive.
 */
export async function openKeys(root: string, folder: string): Promise<FolderKeys> {
  if (isWithin(folder, root))
    throw new ArchiveError(`key store ${JSON.stringify(folder)} is inside the archive, expected a place outside`)
  const fences = new FolderFences(root)
  try {
    const keys = FolderKeys.open(folder, name => fences.of(name))
    await checkOwnKeys(new DiskArchive(root), keys)
    return keys
  } catch (error) {
    if (error instanceof SealingError) throw new ArchiveError(error.message, { cause: error })
    throw error
  }
}

/** A table whose rows these keys seal, where something of it is sealed. */
export function withKeys(table: TableConfiguration, keys: FolderKeys): TableConfiguration {
  const isSealed = table.erasable !== undefined || table.keyIsPersonal !== undefined
  return isSealed ? { ...table, seal: sealingOf(table, keys) } : table
}

/** Opens what is sealed with these keys; what belongs to some tables is found out once. */
export function openingWith(keys: FolderKeys): OpenSealed {
  const known = new Map<string, Promise<Unsealing>>()
  return (engine, tables) => {
    const names = tables.map(({ table }) => table).join('\n')
    const opening = known.get(names) ?? openingFor(engine, tables, keys)
    known.set(names, opening)
    return opening
  }
}

/** Throws an `ArchiveError` where keys are asked for that are no folder's. */
export function refuseKeys({ keys, reveal }: PersonOptions): void {
  if (keys !== undefined || reveal === true)
    throw new ArchiveError(
      'keys and reveal are for an archive whose rows are read from a folder, expected openArchive of one',
    )
}
