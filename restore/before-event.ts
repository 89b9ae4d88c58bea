import type { LostStretch } from '../queries/verdict/archive-facts.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import { historyBetweenEvents, historySince, stateAfterEvent } from '../queries/verdict/state-after.js'
import { isLostBetween, STATE_NAMES, type Then } from './restore-plan.js'

/**
 * What an item was just before one of its changes: what that change found, by its own image, whatever is missing before
 * it; where the stream kept no such image, what the change before left.
 */
export function thenBefore(
  all: ItemHistory,
  change: HistoryChange,
  lost: readonly Pick<LostStretch, 'fromUs' | 'toUs'>[],
): Then {
  const { event_name: name, old_image: old } = change
  if (name !== 'INSERT' && old === null) return afterEarlier(all, change, lost)
  const step = all.steps.findIndex(({ changes }) => changes.includes(change))
  const { confidence } = historySince(all, step, step + 1)
  const [state, image] = name === 'INSERT' ? (['absent', null] as const) : (['present', old] as const)
  return { state, image, confidence, unresolved: false, lost: false, withinSecond: false }
}

function afterEarlier(all: ItemHistory, change: HistoryChange, lost: Parameters<typeof thenBefore>[2]): Then {
  const { event_id: id, event_time_us: us } = change
  // what a baseline saw ahead of its time is what this change, or a later one, made
  const chain = all.steps.filter(step => !step.ahead).flatMap(step => step.changes)
  const earlier = chain[chain.indexOf(change) - 1]
  const { confidence } = historyBetweenEvents(all, earlier?.event_id ?? id, id)
  const about = { confidence, unresolved: false, withinSecond: false }
  if (earlier === undefined) return { ...about, state: 'unknown', image: null, lost: false }
  const { state } = stateAfterEvent(all, earlier.event_id)
  const image = state.kind === 'present' ? state.image : null
  return { ...about, state: STATE_NAMES[state.kind], image, lost: isLostBetween(earlier.event_time_us, us, lost) }
}
