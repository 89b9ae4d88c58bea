/**
 * What an archive says that items were at a moment, as `restore` asks it of each: the real fold over the rows and facts
 * that it has by then. What SQL says of a whole table is held to the same fold elsewhere.
 */
import { groupBy } from '../delivery/redrive.js'
import { foldHistory, heldAgainstHashes } from '../queries/verdict/fold-history.js'
import { removeRepeats } from '../queries/verdict/reconstruct.js'
import { stateAt } from '../queries/verdict/state-at.js'
import { type Then, thenOf } from '../restore/restore-plan.js'
import { type Fact, factMicroseconds, type GapFact } from '../transform/fact.js'
import { type Contents, factsIn, rowsIn } from './contents.js'
import { withNulls } from './judge-histories.js'
import { erasableIn, factsAbout } from './judge-persons.js'
import type { Row } from './judge-versions.js'

/** An archive as it is when somebody asks. */
export interface AskedArchive {
  readonly rows: Contents
  readonly facts: Contents
  readonly configurations: Contents
}

/** What it says of a moment. */
export interface ArchivedPast {
  readonly rows: readonly Row[]
  /** Whether changes of the table are lost. */
  readonly isLossy: boolean
  /** Whether it has got no further than that moment. */
  readonly late: boolean
  /** What an item was, by its key. */
  readonly was: (itemKey: string) => Then
}

/** What is said of a moment, in microseconds since 1970; undefined where the archive begins later. */
export function pastOf(archive: AskedArchive, us: number): ArchivedPast | undefined {
  const { rows: contents, configurations } = archive
  const rows = rowsIn(contents)
  const beganUs = rows.reduce((least, { event_time_us }) => Math.min(least, event_time_us), Number.POSITIVE_INFINITY)
  if (us < beganUs) return undefined
  const kept = factsIn(archive.facts)
  const lost = kept.flatMap(lostBy)
  const facts = { ...factsAbout(erasableIn(configurations), kept), lost }
  const byItem = groupBy(rows, ({ item_key }) => item_key)
  const was = (itemKey: string) => {
    const checked = (byItem.get(itemKey) ?? []).map(row => heldAgainstHashes(withNulls(row)))
    const all = foldHistory(itemKey, removeRepeats(checked as never) as never, facts)
    return thenOf(stateAt(all, { us }, beganUs), { us }, lost)
  }
  const late = !rows.some(({ event_name, event_time_us }) => event_name !== 'BASELINE' && event_time_us > us)
  return { rows, isLossy: lost.length > 0, late, was }
}

function lostBy(fact: Fact) {
  const since = ({ from }: GapFact) => (from === null ? null : factMicroseconds(from))
  return fact.kind === 'gap' ? [{ fact, fromUs: since(fact), toUs: factMicroseconds(fact.to) }] : []
}
