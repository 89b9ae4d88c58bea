import { endsOf } from '../../transform/ends.js'
import { findAlterations, findProblems, type ItemFinding } from './findings.js'
import type { ItemHistory } from './fold-history.js'
import type { HistoryChange } from './item-change.js'
import type { ItemState } from './reconstruct.js'
import type { StateAt } from './state-at.js'
import { judge, momentOf } from './verdict.js'

/**
 * What a change of an item's history left, by its own row: exact where several changes have one time, which no moment
 * tells apart. `until` is the history up to it. Throws for an event that the history lacks.
 */
export function stateAfterEvent(all: ItemHistory, eventId: string): StateAt {
  const until = historyBetweenEvents(all, eventId, eventId)
  const last = until.changes.at(-1) as HistoryChange
  const next = all.changes[until.changes.length]
  return { state: stateLeft(last), until, last, next, gapAhead: false, beforeArchive: false }
}

/**
 * The history up to the later of two events, with the verdict about the time between them: what led to the earlier one
 * counts, as with a moment, and what happened up to the later one; nothing after it.
 */
export function historyBetweenEvents(all: ItemHistory, from: string, to: string): ItemHistory {
  const [first, end] = [from, to].map(id => all.changes.findIndex(({ event_id }) => event_id === id)) as [
    number,
    number,
  ]
  const [began, last] = [all.changes[first], all.changes[end]]
  if (began === undefined || last === undefined) throw new Error(`event ${from} or ${to} is not in the item's history`)
  const stepOf = ({ event_id: id }: HistoryChange) =>
    all.steps.findIndex(step => step.changes.some(c => c.event_id === id))
  const steps = all.steps.slice(0, stepOf(last) + 1)
  const shown = new Set([began, last].map(change => steps[stepOf(change)]))
  const findings = [...findAlterations(steps, step => shown.has(step)), ...findProblems(steps)]
  const { event_time_us: toUs } = last
  const period = { ...momentOf(all.facts, began.event_time_us), toUs, untilUs: toUs }
  return { ...all, ...judge(all.itemKey, findings, all.facts, period), steps, changes: all.changes.slice(0, end + 1) }
}

/**
 * The history from one of its steps on, up to another one that is no longer in it, with the verdict about that time:
 * what is missing before it, and that the item is older than the archive, does not count; its own images do.
 */
export function historySince(all: ItemHistory, from: number, end = all.steps.length): ItemHistory {
  const until = all.steps.slice(0, end)
  const steps = until.slice(from)
  const [first] = steps
  if (first === undefined) throw new Error(`the item's history has no step ${from}`)
  const shown = new Set(steps)
  const isEarlier = ({ finding, eventId }: ItemFinding) =>
    finding === 'PRE-ARCHIVE' || (finding === 'GAP' && first.changes.some(({ event_id: id }) => id === eventId))
  const problems = findProblems(until, all.facts.boundaries).filter(finding => !isEarlier(finding))
  const findings = [...findAlterations(until, step => shown.has(step)), ...problems]
  const toUs = end < all.steps.length ? endsOf(steps.map(step => step.timeUs))[1] : Number.POSITIVE_INFINITY
  const period = { afterUs: first.timeUs - 1, fromUs: first.timeUs, toUs, untilUs: toUs }
  return { ...all, ...judge(all.itemKey, findings, all.facts, period), steps, changes: steps.flatMap(s => s.changes) }
}

/** What a change left, by its own row. */
export function stateLeft({ event_name: name, new_image: image, new_hash: hash }: HistoryChange): ItemState {
  if (name === 'REMOVE') return { kind: 'deleted' }
  return image === null || hash === null ? { kind: 'unknown' } : { kind: 'present', image, hash }
}
