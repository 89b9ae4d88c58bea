import type { ItemState } from '../../queries/verdict/reconstruct.js'
import type { Instant } from '../../transform/instant.js'
import { showMoment } from './zone.js'

/** How the command line names a state. */
export function nameState(state: ItemState): 'present' | 'deleted' | 'not there yet' | 'unknown' {
  return state.kind === 'never seen' ? 'not there yet' : state.kind
}

/** A moment as people read it, with as many digits as it needs. @default zone - UTC */
export function showInstant({ us }: Pick<Instant, 'us'>, zone?: string): string {
  return showMoment(us, us % 1_000_000 === 0 ? 0 : us % 1000 === 0 ? 3 : 6, zone)
}
