import { formatInstant, parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { SavedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { STATES } from '../moments.js'
import { type ArchiveFacts, readArchiveFacts } from './archive-facts.js'
import { anchorFindings } from './continuity.js'

/** An item that was gone at a moment although the archive has no REMOVE of it, with the time of its last change before. */
export interface GoneItem {
  readonly itemKey: string
  readonly lastUs: number
}

/** Items that a complete baseline up to a moment lacks, so that a REMOVE after their last change is missing. */
export async function goneAt(
  engine: QueryEngine,
  table: TableConfiguration,
  { baselines }: ArchiveFacts,
  us: number,
): Promise<readonly GoneItem[]> {
  const gone: GoneItem[] = []
  for (const baseline of baselines.filter(anchor => anchor.us <= us))
    for await (const { itemKey, absence, eventTimeUs } of anchorFindings(engine, table, baseline))
      if (absence?.missing === 'REMOVE') gone.push({ itemKey, lastUs: eventTimeUs })
  return gone
}

/**
 * What the archive's facts say of a saved query's parameters that nobody gives (`preset=facts`), so that the rows of its answer
 * are what `as-of` and `diff` say. Empty for a query that has none, or moments that it refuses.
 */
export async function knownByFacts(
  engine: QueryEngine,
  table: TableConfiguration,
  { name, parameters }: SavedQuery,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const wanted = parameters.filter(({ preset }) => preset === 'facts').map(parameter => parameter.name)
  const moments = [...new Set(STATES[name])].map(moment => parseInstant(given[moment] ?? '')?.us)
  if (wanted.length === 0 || !moments.every(us => us !== undefined)) return {}
  const facts = await readArchiveFacts(engine, table)
  // with two moments each item is looked at twice, under its key with an a and with a b before it
  const marks = moments.length === 1 ? [''] : ['a', 'b']
  const gone: Record<string, 1> = {}
  for (const [i, us] of moments.entries())
    for (const { itemKey, lastUs } of await goneAt(engine, table, facts, us))
      gone[`${lastUs} ${marks[i]}${itemKey}`] = 1
  const seen = moments.map(us => formatInstant(facts.baselines.findLast(baseline => baseline.us <= us)?.us ?? 0, 6))
  const values = [JSON.stringify(gone), ...seen]
  return Object.fromEntries(wanted.map((parameter, i) => [parameter, values[i] as string]))
}
