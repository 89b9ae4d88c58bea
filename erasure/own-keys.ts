/** Whether a key store is the one that an archive's rows were sealed with. */
import type { DiskArchive } from '../store/folder.js'
import { keptConfigurations } from '../store/kept-configurations.js'
import { tablesOf } from '../store/table-objects.js'
import { keysNamedIn, SealingError } from '../transform/sealed-field.js'
import type { FolderKeys } from './folder-keys.js'
import type { KeyName } from './subject-keys.js'
import { imagesOf, keptRows } from './subject-rows.js'

/**
 * Throws a `SealingError` for keys that are not an archive's own. Under another secret everybody has another token: an
 * erasure would end well and destroy nothing, and new rows would be of other persons for good.
 */
export async function checkOwnKeys(archive: DiskArchive, keys: FolderKeys): Promise<void> {
  for (const table of await tablesOf(archive)) {
    const names = await firstSealed(archive, table)
    if (names.length > 0 && !names.some(name => isKnown(keys, name)))
      throw new SealingError(
        `key store ${JSON.stringify(keys.folder)} has no key of the first rows of ${JSON.stringify(table)}: it is another archive's, or a copy from before them`,
      )
  }
}

/** So many rows are looked at for a first sealed value: some come before `erasable`, and of some nothing is sealed. */
const MOST_ROWS = 10_000

/** The keys under which the first values of a table were sealed; none where nothing ever was erasable. */
async function firstSealed(archive: DiskArchive, table: string): Promise<readonly KeyName[]> {
  const kept = await keptConfigurations(archive, table)
  if (!kept.some(({ erasable }) => erasable !== undefined)) return []
  const found = new Map<string, KeyName>()
  let [rows, object] = [0, '']
  for await (const kept of keptRows(archive, table)) {
    // of an object that has some, all
    if (found.size > 0 && kept.object !== object) break
    if (rows++ >= MOST_ROWS) break
    object = kept.object
    for (const name of keysNamedIn(imagesOf(kept.row))) found.set(`${name.token}.${name.generation}`, name)
  }
  return [...found.values()]
}

/** One that is damaged is there, and told when it is needed. */
function isKnown(keys: FolderKeys, name: KeyName): boolean {
  try {
    return keys.find(name) !== undefined
  } catch (error) {
    if (error instanceof SealingError) return true
    throw error
  }
}
