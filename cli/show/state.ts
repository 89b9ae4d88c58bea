import type { ItemState } from '../../queries/verdict/reconstruct.js'
import { type Instant, readableInstant } from '../../transform/instant.js'

/** How the command line names a state. */
export function nameState(state: ItemState): 'present' | 'deleted' | 'not there yet' | 'unknown' {
  return state.kind === 'never seen' ? 'not there yet' : state.kind
}

/** A moment as people read it, with as many digits as it needs. */
export function showInstant({ us }: Pick<Instant, 'us'>): string {
  return readableInstant(us)
}
