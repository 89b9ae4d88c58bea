import { erasureOf, erasuresOf } from '../queries/verdict/erasures.js'
import { readFacts } from '../store/kept-facts.js'
import type { ErasurePlace } from './erase.js'
import type { KeyName } from './subject-keys.js'

/** What came of a renewal: a new key; none for who was not erased, or of whose erasure a table has no certificate. */
export type Renewal =
  | ({ readonly kind: 'renewed' } & KeyName)
  | { readonly kind: 'not-erased' }
  | ({ readonly kind: 'unfinished'; readonly table: string } & KeyName)

/**
 * Gives a person who was erased a new key, for a new life; what was sealed before stays unreadable. Not before the
 * erasure has its certificates: the next one would be of the new key, and nobody would ever tell of the old one.
 */
export async function renewSubject(
  { archive, keys, tables }: Pick<ErasurePlace, 'archive' | 'keys' | 'tables'>,
  token: string,
): Promise<Renewal> {
  const newest = await keys.newest(token)
  if (newest?.state !== 'erased') return { kind: 'not-erased' }
  const erased = { token, generation: newest.generation }
  for (const table of tables) {
    const known = erasureOf(erased, erasuresOf(await readFacts(archive, table)))
    if (known?.certificate === null) return { kind: 'unfinished', table, ...erased }
  }
  const name = { token, generation: newest.generation + 1 }
  await keys.make(name)
  return { kind: 'renewed', ...name }
}
