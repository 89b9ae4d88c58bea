/** What a history may say of itself: no more, and no less, than what truly happened bears out. */
import { groupBy } from '../delivery/redrive.js'
import type { ArchiveFacts } from '../queries/verdict/archive-facts.js'
import { isDoubtful } from '../queries/verdict/findings.js'
import { foldHistory, heldAgainstHashes } from '../queries/verdict/fold-history.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import { removeRepeats } from '../queries/verdict/reconstruct.js'
import { type Archived, hasTicks, type Identity, keyOf, type Row } from './judge-versions.js'
import type { Version } from './table.js'

/** A history that has all versions is believed, in its order; one that lacks a version between others is doubted. */
export function wrongHistories(
  versions: readonly Version[],
  archived: Archived,
  identity: Identity,
  facts?: ArchiveFacts,
): readonly string[] {
  return [...groupBy(versions, ({ item }) => item)].flatMap(([item, all]) => {
    const ids = new Set(all.map(identity.ofVersion))
    // of what was delivered a thousand times two deliveries say as much
    const own = [...ids].flatMap(id => twoOfEach(archived.get(id)))
    if (own.length === 0) return []
    const checked = own.map(row => heldAgainstHashes(withNulls(row)))
    const { confidence, changes } = foldHistory(keyOf(item), removeRepeats(checked as never) as never, facts)
    const there = all.filter(version => archived.has(identity.ofVersion(version)))
    const told = { item, all, there, confidence, changes }
    // see `sealingOf`
    if (there.some(version => idsOf(archived.get(identity.ofVersion(version))).size > 1))
      return isDoubtful(confidence) ? [] : [`history of ${item} is ${confidence}, though a version is there twice`]
    return hasTicks(all, identity) ? asInTicks(told, ids.size) : asInOrder(told, identity)
  })
}

/** Two rows of each id. */
function twoOfEach(rows: readonly Row[] = []): readonly Row[] {
  return [...groupBy(rows, ({ event_id }) => event_id).values()].flatMap(same => same.slice(0, 2))
}

function idsOf(rows: readonly Row[] = []): ReadonlySet<string> {
  return new Set(rows.map(({ event_id }) => event_id))
}

interface Told {
  readonly item: string
  readonly all: readonly Version[]
  readonly there: readonly Version[]
  readonly confidence: string
  readonly changes: readonly HistoryChange[]
}

function asInOrder({ item, all, there, confidence, changes }: Told, { ofVersion, ofRow }: Identity): readonly string[] {
  // a missing change of nothing but what cannot be compared any more is none that anybody could tell
  const isExplained = /^(ERASED|CONFIG-BOUNDARY)$/.test(confidence) && !breaks(there.map(withoutErasable))
  if (breaks(there) !== isDoubtful(confidence) && !isExplained)
    return [`history of ${item} is ${confidence}, though ${there.length} of ${all.length} versions are there`]
  const order = changes.map(change => ofRow(change as never))
  const isSame = order.length === there.length && there.every((version, i) => ofVersion(version) === order[i])
  return isSame ? [] : [`history of ${item} is in another order than its versions were`]
}

/** Changes of one time have an order only where their images lead through all of them in one way. */
function asInTicks({ item, all, there, confidence, changes }: Told, distinct: number): readonly string[] {
  const isWhole = there.length === all.length && distinct === all.length
  if (isWhole && isDoubtful(confidence) && !beginsWithLoop(all))
    return [`history of ${item} is ${confidence}, though all versions are there`]
  const isSorted = changes.every(({ event_time_us }, i) => i === 0 || event_time_us >= timeOf(changes[i - 1]))
  return isSorted ? [] : [`history of ${item} is in another order than its versions were`]
}

/** Made and deleted at one time: it may as well have been deleted and made again, after what is not there. */
function beginsWithLoop(all: readonly Version[]): boolean {
  const tick = all.filter(({ timeUs }) => timeUs === all[0]?.timeUs)
  return tick.length > 1 && tick.at(-1)?.after === null
}

function timeOf(change: HistoryChange | undefined): number {
  return change?.event_time_us ?? 0
}

/** True where the versions that are there do not lead from one to the next, or do not begin with the first. */
export function breaks(there: readonly Version[]): boolean {
  return there.some(({ before }, i) => before !== (i === 0 ? null : there[i - 1]?.after))
}

/** A version without the values that are erasable under any configuration. */
function withoutErasable(version: Version): Version {
  const clear = (image: string | null) => image?.replaceAll(/"(contact|seal)":\{"[SB]":"[^"]*"\}/g, '"$1":{}') ?? null
  return { ...version, before: clear(version.before), after: clear(version.after) }
}

const NULLABLE = ['old_image', 'new_image', 'old_hash', 'new_hash', 'changed', 'actor', 'last_writer', 'user_identity']
const NULLS = Object.fromEntries([...NULLABLE, 'sequence', 'subjects'].map(column => [column, null]))

/** Row lines leave nulls out; a query has them. */
export function withNulls(row: Row): Parameters<typeof heldAgainstHashes>[0] {
  return Object.assign({}, NULLS, row) as never
}
