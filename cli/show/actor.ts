import { TIME_TO_LIVE } from '../../queries/bind.js'
import { ACTOR_OF_TODAY } from '../../queries/todays-actor.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { printable } from './text.js'
/** Who made a change, with how that is known where it is not the change itself that says so. */
export function showActor({ actor, actor_source, last_writer, event_name }: ChangeMaker): string {
  if (actor === TIME_TO_LIVE.recorded) return `by ${TIME_TO_LIVE.printed}`
  if (actor !== null) return `by ${printable(actor)}${actor_source === ACTOR_OF_TODAY ? ', as configured today' : ''}`
  // a version that nobody changed since is what its writer made; of all others the writer says nothing
  if (last_writer === null) return 'actor not recorded'
  if (event_name === 'BASELINE') return `last written by ${printable(last_writer)}`
  return event_name === 'REMOVE'
    ? `last written by ${printable(last_writer)}, who removed it is not recorded`
    : 'actor not recorded'
}

/** What tells who made a change. */
type ChangeMaker = Pick<HistoryChange, 'actor' | 'actor_source' | 'last_writer' | 'event_name'>
