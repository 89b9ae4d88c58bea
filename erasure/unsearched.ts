/** What was refused after an erasure, of which nobody knows whether it names the person. */
import { findFacts } from '../store/kept-facts.js'
import type { ObjectEntry, Objects } from '../store/objects.js'
import { tablesOf } from '../store/table-objects.js'
import { type ErasureFact, type Fact, factMicroseconds } from '../transform/fact.js'

/** A person who was erased, and what was refused since the refused records were searched for the id. */
export interface Unsearched {
  readonly token: string
  /** When the key was destroyed, and up to when what was refused by then was searched: instants of facts. */
  readonly destroyed: string
  readonly searched: string
  /** Refused objects that may name the person in clear. */
  readonly objects: number
}

/**
 * What was on its way when a key was destroyed may be refused so much later: it may wait a week in a Kinesis stream,
 * and Firehose tries for a day. What comes later is of writes that came after the erasure.
 */
const ON_ITS_WAY_US = 8 * 86_400_000_000

/**
 * Each person whom the archive's facts say to be erased and of whom a refused object may be that came after the last
 * search, the longest ago first.
 */
export async function unsearchedIn(
  archive: Objects,
  refused: readonly Pick<ObjectEntry, 'modified'>[],
): Promise<readonly Unsearched[]> {
  if (refused.length === 0) return []
  const facts: Fact[] = []
  for (const table of await tablesOf(archive)) facts.push(...(await findFacts(archive, table)).facts)
  return unsearched(facts, refused)
}

function unsearched(facts: readonly Fact[], refused: readonly Pick<ObjectEntry, 'modified'>[]): readonly Unsearched[] {
  const persons = new Map<string, Omit<Unsearched, 'objects'>>()
  for (const fact of facts) {
    if (fact.kind !== 'erasure') continue
    const { token, generation, destroyed } = fact
    const key = `${token} ${generation}`
    const known = persons.get(key)?.searched ?? ''
    persons.set(key, { token, destroyed, searched: [known, searchedOf(fact)].sort()[1] as string })
  }
  return [...persons.values()]
    .map(person => ({ ...person, objects: refused.filter(mayBeOf(person)).length }))
    .filter(({ objects }) => objects > 0)
    .sort((a, b) => (a.destroyed < b.destroyed ? -1 : 1))
}

function mayBeOf({ destroyed, searched }: Omit<Unsearched, 'objects'>) {
  const [fromUs, toUs] = [factMicroseconds(searched), factMicroseconds(destroyed) + ON_ITS_WAY_US]
  return ({ modified }: Pick<ObjectEntry, 'modified'>) => modified * 1000 > fromUs && modified * 1000 <= toUs
}

/** Until when refused records were searched: whoever wrote no time searched after the key was destroyed. */
export function searchedOf({ searched, destroyed }: ErasureFact): string {
  return searched ?? destroyed
}
