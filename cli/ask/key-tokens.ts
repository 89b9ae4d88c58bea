import { keySealing } from '../../erasure/seal-image.js'
import { SealingError } from '../../transform/sealed-field.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { isOnAws } from '../show/archive-name.js'
import type { Workspace } from './workspace.js'

/**
 * Makes something of a key that was typed, under a table that makes tokens of what names persons. Of an archive on AWS
 * the store in the stack makes them, when one is needed: Athena is asked by tokens alone. Throws a `CommandError` where
 * no stack is named, or who asks may not have tokens.
 */
export async function withTokens<T>(
  { root, persons }: Pick<Workspace, 'root' | 'persons'>,
  table: TableConfiguration,
  make: (table: TableConfiguration) => T | Promise<T>,
): Promise<T> {
  if (table.keyIsPersonal === undefined || table.seal !== undefined || !isOnAws(root)) return make(table)
  const tokens = new Map<string, string>()
  const missing = new Set<string>()
  const seal = { image: sealNothing, key: keySealing(table, { tokenOf: id => tokens.get(id) ?? note(missing, id) }) }
  const made = await make({ ...table, seal })
  if (missing.size === 0) return made
  for (const id of missing) tokens.set(id, await persons.tokenOf(id))
  return make({ ...table, seal })
}

/** What stands for a token that is not known yet: what comes of it is thrown away. */
function note(missing: Set<string>, id: string): string {
  missing.add(id)
  return '0'.repeat(32)
}

function sealNothing(): never {
  throw new SealingError('images are not sealed where a question is asked')
}
