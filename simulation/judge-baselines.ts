/** What must be true of the baselines of an archive: each row is a state that the table had, and a fact has them all. */
import { groupBy } from '../delivery/redrive.js'
import type { BaselineFact, Fact } from '../transform/fact.js'
import { asArchived, heldSince, keyOf, type Row } from './judge-versions.js'
import type { Version } from './table.js'

/** Times are told to the second, and a scan reads for a while. */
const SECOND_US = 1_000_000

/** Each a sentence. */
export function wrongBaselines(
  rows: readonly Row[],
  facts: readonly Fact[],
  versions: readonly Version[],
): readonly string[] {
  const histories = groupBy(versions, ({ item }) => keyOf(item))
  const invented = rows.filter(({ item_key, source, new_image }) => {
    const fromUs = usOf(source?.slice(source.lastIndexOf('/') + 1) ?? '') - SECOND_US
    return !heldSince(histories.get(item_key) ?? [], fromUs).some(({ after }) => sameAs(after, new_image))
  })
  const complete = facts.filter((fact): fact is BaselineFact => fact.kind === 'baseline')
  return [
    ...invented.map(({ item_key }) => `baseline has a row of ${item_key} that is no state it had`),
    ...complete.flatMap(fact => lackedBy(fact, rows, histories)),
  ]
}

/** What was in the table all the time that the scan took. */
function lackedBy(
  { source, from, to }: BaselineFact,
  rows: readonly Row[],
  histories: ReadonlyMap<string, readonly Version[]>,
): readonly string[] {
  const own = new Map(rows.filter(row => row.source === source).map(row => [row.item_key, row.new_image]))
  return [...histories].flatMap(([itemKey, all]) => {
    const before = all.findLast(({ timeUs }) => timeUs < usOf(from) - SECOND_US)
    const isMoved = all.some(({ timeUs }) => timeUs >= usOf(from) - SECOND_US && timeUs <= usOf(to) + SECOND_US)
    const state = before?.after ?? null
    if (isMoved || sameAs(state, own.get(itemKey))) return []
    return [`baseline ${source} is complete, and of ${itemKey} it says another thing than the table`]
  })
}

function sameAs(state: string | null, image: string | null | undefined): boolean {
  return asArchived(state) === asArchived(image ?? null)
}

function usOf(instant: string): number {
  return Date.parse(instant) * 1000
}
