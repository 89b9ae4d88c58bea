import { parseInstant } from '../transform/instant.js'
import type { BoundValue } from './engines/engine.js'

/** Questions about what items were at moments, with the parameters of the first and the last. */
export const STATES: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'diff-of-table': ['from', 'to'],
  'items-as-of': ['at', 'at'],
  'table-as-of': ['at', 'at'],
}

/** Questions that tell what items were at moments, or were last, and take no facts, with the parameters of these moments. */
const REMARKED: Readonly<Record<string, string>> = {
  'item-as-of': 'at',
  'first-and-last-seen': 'to',
}

/** The moment, in microseconds since 1970, of whose states an answer tells that knows no facts; undefined for every other. */
export function remarkedMoment(asked: {
  readonly query: string | undefined
  readonly parameters: ReadonlyMap<string, BoundValue>
}): number | undefined {
  const name = asked.query === undefined ? undefined : REMARKED[asked.query]
  return name === undefined ? undefined : parseInstant(String(asked.parameters.get(name)))?.us
}
