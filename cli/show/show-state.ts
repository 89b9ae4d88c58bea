import type { ItemState } from '../../queries/verdict/reconstruct.js'
import { formatInstant, type Instant } from '../../transform/instant.js'

/** How the command line names a state. */
export function nameState(state: ItemState): 'present' | 'deleted' | 'not there yet' | 'unknown' {
  return state.kind === 'never seen' ? 'not there yet' : state.kind
}

/** A moment as people read it, with as many digits as it needs. */
export function showInstant({ us }: Pick<Instant, 'us'>): string {
  return formatInstant(us, us % 1_000_000 === 0 ? 0 : us % 1000 === 0 ? 3 : 6).replace('T', ' ')
}
