import type { Unsearched } from '../../erasure/unsearched.js'
import type { Uncertified } from '../../queries/verdict/erasures.js'
import { grouped } from './progress.js'

const SHOWN = 3

/** That erased persons may be in clear in what was refused after a search: a line each, and for the rest one. */
export function tellUnsearched(persons: readonly Unsearched[]): readonly string[] {
  const more = persons.length - SHOWN
  return [
    ...persons.slice(0, SHOWN).map(tellOne),
    ...(more > 0 ? [`${grouped(more)} further persons who were erased may be in it: --format json names them`] : []),
  ]
}

/** That an erasure is not known to be done. */
export function tellUncertified({ token, asked }: Uncertified): string {
  return `the erasure of ${token}, asked for ${asked}, has no certificate: itemtrail subject erase again, with the id, ends it`
}

function tellOne({ token, destroyed, searched, objects }: Unsearched): string {
  const noun = objects === 1 ? 'object was' : 'objects were'
  return `${grouped(objects)} ${noun} refused after ${searched}, when what is refused was last searched for ${token}, erased ${destroyed}: the person may be in clear there; itemtrail subject erase again, with the id, says where`
}
