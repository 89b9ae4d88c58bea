import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { Step } from '../../queries/verdict/step.js'
import type { RestoredBy } from '../../restore/restored-by.js'
import type { UndoneChanges } from '../../transform/fact.js'
import { shortId } from './confidence.js'
import { printable } from './text.js'

/** That a restore made a change: certain where its fact lists this state. */
export function showRestore({ fact, certain }: RestoredBy): string {
  const { actor, asOf, before, undone, pastOf, table, items } = fact
  const of = pastOf === table ? '' : ` of ${pastOf}`
  const who = actor === null ? 'by a restore' : `by ${actor}`
  const past = describePast({ as_of: asOf, before, undo: undone })
  return printable(
    certain
      ? `restored ${who}, ${past}${of}`
      : `perhaps restored ${who}, ${past}${of}: ${items} items were written at about this time`,
  )
}

/** The past that a plan brings back, in words. */
export function describePast({ as_of: asOf, before, undo }: RestoredPast): string {
  const show = (instant: string) =>
    instant
      .replace(/(\.\d*?)0*Z$/, '$1Z')
      .replace('.Z', 'Z')
      .replace('T', ' ')
  if (undo !== undefined) return `without what ${undo.actor} changed from ${show(undo.from)} to ${show(undo.to)}`
  return before === undefined ? `as of ${show(asOf)}` : `as just before ${shortId(before)} at ${show(asOf)}`
}

/** A past as a plan's header names it. */
interface RestoredPast {
  readonly as_of: string
  readonly before?: string | undefined
  readonly undo?: UndoneChanges | undefined
}

/** What a change did, and how sure that is, as every JSON of a change has it. */
export function describeEffect(change: HistoryChange, step: Step<HistoryChange>): object {
  return {
    changed: change.changed,
    old_image: objectOf(change.old_image),
    new_image: objectOf(change.new_image),
    repeats: change.repeats,
    conflict: change.conflict,
    altered: change.altered.map(({ part }) => part),
    ordered: step.ordered,
  }
}

/** A column that holds JSON. */
export function objectOf(text: string | null): object | null {
  return text === null ? null : (JSON.parse(text) as object)
}

/** What is to be known of a change beside what it did. */
export function problemsAt(change: HistoryChange, step: Step<HistoryChange>, found: ItemHistory): readonly string[] {
  const at = found.findings.filter(({ eventId }) => eventId === change.event_id).map(({ finding }) => finding)
  return [
    ...(at.includes('GAP') ? ['GAP: one or more changes before this one are missing'] : []),
    ...problemsOf(change),
    ...(step.ahead ? ['this baseline was ahead of the stream: it saw what a later change made'] : []),
    ...(step.ordered ? [] : ['its place among the changes of this time is not certain']),
  ]
}

/** The same of a change by itself, whatever is before and after it. */
export function problemsOf(change: HistoryChange): readonly string[] {
  return [
    ...change.altered.map(describeAlteration),
    ...(change.conflict ? ['CONFLICT: this change was delivered with different contents'] : []),
    ...(change.time_precision === 'arrival' ? ['the record has no time, its arrival stands in'] : []),
  ]
}

const PART_NAMES = {
  old_image: 'the old image',
  new_image: 'the new image',
  changed: 'what changed',
  row: 'the row',
  unknown_version: 'the row',
} as const

function describeAlteration({ part, unreadable }: HistoryChange['altered'][number]): string {
  if (part === 'unknown_version')
    return 'UNCHECKED: the row is of a version that this itemtrail does not know, a later one wrote it'
  if (unreadable !== null) return `ALTERED: ${PART_NAMES[part]} cannot be read: ${unreadable}`
  return `ALTERED: ${PART_NAMES[part]} is not what ${part === 'changed' ? 'its images say' : 'its hash says'}`
}
