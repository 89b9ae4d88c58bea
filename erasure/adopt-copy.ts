import { readFacts } from '../store/kept-facts.js'
import type { Objects } from '../store/objects.js'
import type { ErasingFact, ErasureFact, Fact } from '../transform/fact.js'
import { destroyKey } from './kept-keys.js'
import type { KeyTable } from './key-table.js'
import { claimCopy } from './store-entry.js'
import type { KeyName } from './subject-keys.js'

/**
 * Makes a copy of a key table, such as a restored one, the archive's own: first whoever was erased, or was about to be,
 * by what the archive's facts say, is erased in it. Can be repeated. Gives how many keys that were.
 */
export async function adoptCopy(
  table: KeyTable,
  archive: Objects,
  tables: readonly string[],
  now: () => number = Date.now,
): Promise<number> {
  const names = new Map<string, KeyName>()
  for (const name of tables)
    for (const { token, generation } of (await readFacts(archive, name)).filter(isOfErasure))
      names.set(`${token}.${generation}`, { token, generation })
  const at = new Date(now()).toISOString()
  for (const name of names.values()) await destroyKey(table, name, at)
  await claimCopy(table)
  return names.size
}

function isOfErasure(fact: Fact): fact is ErasingFact | ErasureFact {
  return fact.kind === 'erasing' || fact.kind === 'erasure'
}
