import { SealingError } from '../transform/sealed-field.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { sealingOf } from './seal-image.js'
import type { SubjectKey } from './subject-keys.js'
import type { TableKeys } from './table-keys.js'

/** In one round all persons are found and loaded; a key can run out while the next is under way. */
const MOST_ROUNDS = 4

/** What a value is sealed by whose key is not loaded yet: what comes of it is thrown away. */
const NO_KEY: SubjectKey = { state: 'erased', generation: 1 }

/**
 * Makes something of sealed images, by keys in a table: it is made once to find whose keys that takes, these are loaded
 * in a few calls, and it is made again: what is given was sealed by keys that were there, every one. Throws where they
 * cannot be had.
 */
export async function sealAhead<T>(
  table: TableConfiguration,
  keys: TableKeys,
  make: (sealing: TableConfiguration) => T | Promise<T>,
  mayMake = true,
): Promise<T> {
  const missing = new Set<string>()
  const current = (token: string) => keys.loaded(token) ?? note(missing, token)
  const seal = sealingOf(table, { tokenOf: id => keys.tokenOf(id), current, find: name => keys.find(name) })
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const made = await make({ ...table, seal })
    if (missing.size === 0) return made
    await keys.load([...missing], mayMake)
    missing.clear()
  }
  throw new SealingError(`keys of a batch ran out while it was sealed, in each of ${MOST_ROUNDS} rounds`)
}

function note(missing: Set<string>, token: string): SubjectKey {
  missing.add(token)
  return NO_KEY
}
