/** What a comparison with the live table may say of an item, while both go on: what can be so, and nothing else. */
import { groupBy } from '../delivery/redrive.js'
import type { FindingKind } from '../restore/reconciliation.js'
import type { Looked } from './judge-last-look.js'
import { hasTicks, heldSince, keyOf, type Row } from './judge-versions.js'
import type { Reconciliation } from './reconciler.js'
import type { Version } from './table.js'
import type { Contents } from './world.js'

const SECOND_MS = 1000

/** Each a sentence. */
export function wrongReconciliation(
  { fromMs, untilMs, sinceMs, rows: contents, findings }: Reconciliation,
  { versions, identity }: Looked,
): readonly string[] {
  const rows = rowsIn(contents)
  const archived = new Set(rows.map(identity.ofRow))
  const wasSeen = new Set(rows.flatMap(({ event_name, item_key }) => (event_name === 'BASELINE' ? [item_key] : [])))
  const before = versions.filter(({ timeUs }) => timeUs / 1000 <= untilMs)
  return [...groupBy(before, ({ item }) => item)].flatMap(([item, all]) => {
    // which of two changes of one time was last, nobody knows
    if (hasTicks(all, identity)) return []
    const there = all.filter(version => archived.has(identity.ofVersion(version)))
    const isWhole = there.length === all.length
    // a baseline says of an item what none of its changes that are there do
    if (!isWhole && wasSeen.has(keyOf(item))) return []
    const said = findings.get(keyOf(item))
    const has = stateOf(there)
    const could = new Set(statesSince(all, fromMs))
    const differing = [...could].filter(state => state !== has).map(state => kindOf(has, state))
    // times in a stream are cut to the second
    const moved = all.some(({ timeUs }) => timeUs / 1000 >= sinceMs - SECOND_MS)
    const mayBe =
      said === undefined
        ? could.has(has) || moved
        : (said === 'changed-meanwhile' && moved) || (said === 'unknown' && !isWhole) || differing.includes(said)
    const what = `${there.length} of ${all.length} versions are there`
    return mayBe ? [] : [`reconcile with the live table says ${said ?? 'nothing'} of ${item}, of which ${what}`]
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

function stateOf(versions: readonly Version[]): string | null {
  return versions.at(-1)?.after ?? null
}

function rowsIn(contents: Contents): readonly Row[] {
  return contents.flatMap(([, bytes]) => {
    const lines = Buffer.from(bytes).toString().trimEnd().split('\n')
    return lines.map(line => JSON.parse(line) as Row)
  })
}
