import { formatInstant, parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { SavedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { type ArchiveFacts, readArchiveFacts } from './archive-facts.js'
import { anchorFindings, namedBreaks, type TableFinding } from './continuity.js'
import { boundariesWith } from './erasures.js'

/**
 * An item that was gone at a moment although the archive has no REMOVE of it, with the time of its last change
 * before.
 */
export interface GoneItem {
  readonly itemKey: string
  readonly lastUs: number
}

/** Items whose REMOVE is missing: a complete baseline taken up to the moment does not have them any more. */
export async function goneAt(
  engine: QueryEngine,
  table: TableConfiguration,
  { baselines }: ArchiveFacts,
  us: number,
): Promise<readonly GoneItem[]> {
  const findings: TableFinding[] = []
  for (const baseline of baselines.filter(anchor => anchor.us <= us))
    for await (const finding of anchorFindings(engine, table, baseline)) findings.push(finding)
  return findings
    .filter(({ absence, untilUs }) => absence?.missing === 'REMOVE' && untilUs <= us)
    .map(({ itemKey, eventTimeUs }) => ({ itemKey, lastUs: eventTimeUs }))
}

/**
 * What the archive's facts say of a saved query's parameters that nobody gives (`preset=facts`), so that the rows of
 * its answer are what `as-of`, `diff` and `verify` say. Empty for a query that has none, or moments that it refuses.
 */
export async function knownByFacts(
  engine: QueryEngine,
  table: TableConfiguration,
  query: SavedQuery,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  if (query.name === 'continuity')
    return { explained: await namedBreaks(engine, table, await boundariesWith(engine, table)) }
  const { from, to } = query.states ?? {}
  const moments = [...new Set([from, to])].map(moment => parseInstant(given[moment ?? ''] ?? '')?.us)
  if (factParameters(query).length === 0 || !moments.every(us => us !== undefined)) return {}
  const facts = await readArchiveFacts(engine, table)
  const gone: (readonly GoneItem[])[] = []
  for (const us of moments) gone.push(await goneAt(engine, table, facts, us))
  return toldByFacts(query, facts, moments, gone)
}

/** These parameters, from the items that were gone at each of the query's moments. */
export function toldByFacts(
  query: SavedQuery,
  { baselines }: ArchiveFacts,
  moments: readonly number[],
  gone: readonly (readonly GoneItem[])[],
): Readonly<Record<string, string>> {
  // with two moments each item is looked at twice, under its key with an a and with a b before it
  const marks = moments.length === 1 ? [''] : ['a', 'b']
  const names = gone.flatMap((items, i) => items.map(({ itemKey, lastUs }) => `${lastUs} ${marks[i]}${itemKey}`))
  const seen = moments.map(us => formatInstant(baselines.findLast(baseline => baseline.us <= us)?.us ?? 0, 6))
  const values = [JSON.stringify(Object.fromEntries(names.map(name => [name, 1]))), ...seen]
  return Object.fromEntries(factParameters(query).map((parameter, i) => [parameter, values[i] as string]))
}

function factParameters({ parameters }: SavedQuery): readonly string[] {
  return parameters.filter(({ preset }) => preset === 'facts').map(({ name }) => name)
}
