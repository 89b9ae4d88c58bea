import { showActor } from '../cli/show/actor.js'
import { TIME_TO_LIVE } from '../queries/bind.js'
import type { ActorKind } from '../queries/list-changes.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'

type ChangeMaker = Pick<HistoryChange, 'actor' | 'actor_source' | 'last_writer' | 'event_name'>

/** The kind of actor of a change, in a word. */
export function actorKind({ actor, event_name: name, last_writer: writer }: ChangeMaker): ActorKind {
  if (actor === TIME_TO_LIVE.recorded) return 'service'
  if (actor !== null) return 'recorded'
  return writer !== null && (name === 'REMOVE' || name === 'BASELINE') ? 'last writer' : 'not recorded'
}

/** Who made a change, as far as is known, and the kind of that knowledge. */
export function Actor({ change }: { readonly change: ChangeMaker }) {
  const kind = actorKind(change)
  const who = showActor(change).replace(/^by /, '')
  if (kind === 'not recorded') return <span class="dim">not recorded</span>
  return (
    <span>
      <bdi {...(who.length <= 28 && { class: 't' })}>{who}</bdi> {kind === 'last writer' ? null : <small>{kind}</small>}
    </span>
  )
}
