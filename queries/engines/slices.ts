import { quoted } from './literal.js'

/** Items side by side in the order of their keys: those after one key, up to and with another, where it has these. */
export interface Slice {
  readonly after?: string | undefined
  readonly upTo?: string | undefined
}

export const ALL_ITEMS: Slice = {}

/** A slice in several, which end at these keys; the last of them ends where it does. */
export function slicesAt({ after, upTo }: Slice, ends: readonly string[]): readonly Slice[] {
  return [...ends, upTo].map((end, i) => ({ after: i === 0 ? after : ends[i - 1], upTo: end }))
}

/** Some rows, a name or a SELECT in brackets, as far as they are of a slice. What is of no item comes last in order. */
export function inSlice({ after, upTo }: Slice, rows: string): string {
  const from = after === undefined ? [] : [`item_key > ${quoted(after)}`]
  const to = upTo === undefined ? [] : [`item_key <= ${quoted(upTo)}`]
  if (from.length + to.length === 0) return rows
  return `(select * from ${rows} where ${upTo === undefined ? `(${from} or item_key is null)` : [...from, ...to].join(' and ')})`
}
