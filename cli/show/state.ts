import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import type { ItemState } from '../../queries/verdict/reconstruct.js'
import type { StateAt } from '../../queries/verdict/state-at.js'
import type { Instant } from '../../transform/instant.js'
import { showActor } from './actor.js'
import { shortId, showTime } from './confidence.js'
import { showMoment } from './zone.js'

/** How the command line names a state. */
export function nameState(state: ItemState): 'present' | 'deleted' | 'not there yet' | 'unknown' {
  return state.kind === 'never seen' ? 'not there yet' : state.kind
}

/** A moment as people read it, with as many digits as it needs. @default zone - UTC */
export function showInstant({ us }: Pick<Instant, 'us'>, zone?: string): string {
  return showMoment(us, us % 1_000_000 === 0 ? 0 : us % 1000 === 0 ? 3 : 6, zone)
}

/** Of changes of one time that have no order which hangs together. */
export const CONTRADICTING = 'changes of one time contradict one another, the state after them is one of several'

/** Of how many items of a table nobody knows what they were, and why. */
export const WHY_UNKNOWN = 'unknown: older than their first change in the archive, or no image tells their state'

/** What led to the state at a moment, and what ended it, as far as the archive knows. */
export function describeState(
  { state, until, last, next, gapAhead, beforeArchive }: StateAt,
  at: Pick<Instant, 'us'>,
  zone?: string,
): string {
  const ahead =
    next === undefined ? undefined : `${next.event_name} ${shortId(next.event_id)} at ${showTime(next, zone)}`
  if (last === undefined) {
    if (state.kind === 'unknown')
      return `unknown: ${showInstant(at, zone)} is before its first change in the archive, ${ahead}, which found it there already`
    const first = `not there yet: its first change in the archive is ${ahead}`
    return beforeArchive ? `${first}; the archive of this table begins only after ${showInstant(at, zone)}` : first
  }
  const after = `${last.event_name} ${shortId(last.event_id)} at ${showTime(last, zone)}, ${showActor(last)}`
  const then = gapAhead
    ? `changes ${ahead === undefined ? 'after it' : `between it and ${ahead}`} are missing, so the item may have been another by then`
    : ahead === undefined
      ? 'no later change in the archive'
      : `next change ${ahead}`
  const lackedBy = until.steps.findLast(step => !step.ahead)?.absence
  if (lackedBy !== undefined && lackedBy !== null)
    return `deleted: the complete baseline of ${showInstant({ us: lackedBy.rowTimeUs }, zone)} lacks it; the last that the archive has of it is ${after}; ${then}`
  if (state.kind === 'deleted') return `deleted: ${after}; ${then}`
  if (state.kind === 'unknown') return `unknown: no image tells the state after ${after}; ${then}`
  return `state after ${after}; ${then}`
}

/** What else a reader of a state at a moment should know. */
export function remarksOn(all: ItemHistory, { until, last }: StateAt, at: Pick<Instant, 'us'>): readonly string[] {
  // where a time is known to the second only, the moment asked for may lie before or after the change within it
  const within = all.changes.filter(
    change => change.time_precision === 's' && Math.floor(at.us / 1_000_000) * 1_000_000 === change.event_time_us,
  )
  const step = until.steps.at(-1)
  const unresolved = until.findings.some(
    ({ finding, eventId }) =>
      finding === 'UNRESOLVED-ORDER' && step?.changes.some(({ event_id: id }) => id === eventId),
  )
  return [
    ...within.map(
      change =>
        `${shortId(change.event_id)} happened within this very second, its time is known to the second only; it is counted as before`,
    ),
    ...(unresolved ? [CONTRADICTING] : []),
    ...(last?.time_precision === 'arrival' ? ['the record of the last change has no time, its arrival stands in'] : []),
  ]
}
