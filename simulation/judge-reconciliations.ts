/** What a comparison with the live table may say of an item, while both go on: what can be so, and nothing else. */
import { groupBy } from '../delivery/redrive.js'
import type { FindingKind } from '../restore/reconciliation.js'
import { factMicroseconds } from '../transform/fact.js'
import { type Contents, factsIn, rowsIn } from './contents.js'
import type { Looked } from './judge-last-look.js'
import { hasTicks, heldSince, keyOf } from './judge-versions.js'
import type { Reconciliation } from './reconciler.js'
import type { Version } from './table.js'
import { SECOND_MS } from './times.js'

/** Each a sentence. What was waited for, one of the looks has to bear out. */
export function wrongReconciliation(
  { fromMs, untilMs, sinceMs, looks, findings }: Reconciliation,
  { versions, identity }: Looked,
): readonly string[] {
  const seen = looks.map(({ rows: contents, facts }) => {
    const rows = rowsIn(contents)
    return {
      archived: new Set(rows.map(identity.ofRow)),
      wasSeen: new Set(rows.flatMap(({ event_name, item_key }) => (event_name === 'BASELINE' ? [item_key] : []))),
      baselineTimes: baselinesIn(facts),
    }
  })
  const before = versions.filter(({ timeUs }) => timeUs / 1000 <= untilMs)
  return [...groupBy(before, ({ item }) => item)].flatMap(([item, all]) => {
    // which of two changes of one time was last, nobody knows
    if (hasTicks(all, identity)) return []
    const said = findings.get(keyOf(item))
    const could = new Set(statesSince(all, fromMs))
    // times in a stream are cut to the second
    const moved = all.some(({ timeUs }) => timeUs / 1000 >= sinceMs - SECOND_MS)
    const told = seen.map(({ archived, wasSeen, baselineTimes }) => {
      const there = all.filter(version => archived.has(identity.ofVersion(version)))
      const isWhole = there.length === all.length
      const states = statesOf(there, baselineTimes)
      const mayBe = states.some(has => {
        const differing = [...could].filter(state => state !== has).map(state => kindOf(has, state))
        if (said === undefined) return could.has(has) || moved
        return (said === 'changed-meanwhile' && moved) || (said === 'unknown' && !isWhole) || differing.includes(said)
      })
      const what = `${there.length} of ${all.length} versions are there`
      // a baseline says of an item what none of its changes that are there do
      return { mayBe: mayBe || (!isWhole && wasSeen.has(keyOf(item))), isSo: isWhole && !moved, what }
    })
    const last = told.at(-1)
    // nothing of it is left to be waited for, and it is as the table has it
    const isLate = said !== undefined && told.length > 1 && last?.isSo === true && !last.mayBe
    if (told.some(({ mayBe }) => mayBe) && !isLate) return []
    return [`reconcile with the live table says ${said ?? 'nothing'} of ${item}, of which ${last?.what}`]
  })
}

/** What a difference is between what an archive has and a state that it does not. */
function kindOf(has: string | null, saw: string | null): FindingKind {
  if (has === null) return 'missing-in-archive'
  return saw === null ? 'missing-in-table' : 'different'
}

/** What an item was at some moment since then. */
function statesSince(all: readonly Version[], ms: number): readonly (string | null)[] {
  const held = heldSince(all, ms * 1000)
  const wasThere = held[0] !== undefined && held[0].timeUs / 1000 > ms
  return [...(wasThere ? [held[0]?.before ?? null] : []), ...held.map(({ after }) => after)]
}

/** What an archive has of an item by the last of these; a later baseline that lacks it says that it was gone. */
function statesOf(versions: readonly Version[], baselineTimes: readonly number[]): readonly (string | null)[] {
  const last = versions.at(-1)
  const isGone = baselineTimes.some(us => last !== undefined && us > last.timeUs)
  return [last?.after ?? null, ...(isGone ? [null] : [])]
}

/** When each baseline was taken, in microseconds since 1970. */
function baselinesIn(facts: Contents): readonly number[] {
  return factsIn(facts).flatMap(fact => (fact.kind === 'baseline' ? [factMicroseconds(fact.rowTime)] : []))
}
