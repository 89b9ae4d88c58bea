import { parseInstant } from '../transform/instant.js'
import type { BoundValue } from './engine.js'

/** Questions about what items were at moments, with the parameters of the first and the last. */
export const STATES: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'diff-of-table': ['from', 'to'],
  'items-as-of': ['at', 'at'],
  'table-as-of': ['at', 'at'],
}

/** Questions that tell what items were at moments, or were last, with the parameters of these moments. */
const TELLS_STATES: Readonly<Record<string, readonly string[]>> = {
  ...STATES,
  'items-as-of': ['at'],
  'table-as-of': ['at'],
  'item-as-of': ['at'],
  'first-and-last-seen': ['to'],
}

/** The moments, in microseconds since 1970, of whose states an answer tells; undefined for one that tells of none. */
export function momentsOf(asked: {
  readonly query: string | undefined
  readonly parameters: ReadonlyMap<string, BoundValue>
}): readonly number[] | undefined {
  const names = asked.query === undefined ? undefined : TELLS_STATES[asked.query]
  return names?.flatMap(name => parseInstant(String(asked.parameters.get(name)))?.us ?? [])
}
