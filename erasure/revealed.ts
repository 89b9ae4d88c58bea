/** Answers with what is sealed in them replaced. Verdicts are made before: they are over what is stored. */
import type { Row } from '../queries/engines/rows.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import type { ItemState } from '../queries/verdict/reconstruct.js'
import type { StateAt } from '../queries/verdict/state-at.js'
import { AS_STORED, type Unsealing, unsealText } from './reveal.js'

/** An item's history with its images replaced. */
export function revealHistory<H extends ItemHistory>(history: H, unseal: Unsealing): H {
  const steps = history.steps.map(step => ({
    ...step,
    changes: step.changes.map(change => revealChange(change, unseal)),
  }))
  return { ...history, steps, changes: steps.flatMap(({ changes }) => changes) }
}

/** All images of some histories. */
export function imagesIn(histories: Iterable<Pick<ItemHistory, 'changes'>>): readonly (string | null)[] {
  return [...histories].flatMap(({ changes }) => changes.flatMap(change => [change.old_image, change.new_image]))
}

/** What an item was at a moment, with its images replaced. */
export function revealState(found: StateAt, unseal: Unsealing): StateAt {
  const { state, until, last, next } = found
  return {
    ...found,
    state: revealItem(state, unseal),
    until: revealHistory(until, unseal),
    last: last && revealChange(last, unseal),
    next: next && revealChange(next, unseal),
  }
}

function revealItem(state: ItemState, unseal: Unsealing): ItemState {
  return state.kind === 'present' ? { ...state, image: unsealText(state.image, unseal) } : state
}

/** A change with its images replaced. */
export function revealChange(change: HistoryChange, unseal: Unsealing): HistoryChange {
  const image = (text: string | null) => (text === null ? null : unsealText(text, unseal))
  return { ...change, old_image: image(change.old_image), new_image: image(change.new_image) }
}

/** Rows of an answer with what is sealed in their texts replaced. */
export function* revealRows(rows: Iterable<Row>, unseal: Unsealing): IterableIterator<Row> {
  for (const row of rows) yield unseal === AS_STORED ? row : mapTexts(row, unseal)
}

function mapTexts(row: Row, unseal: Unsealing): Row {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'string' ? unsealText(value, unseal) : value,
  ])
  return Object.fromEntries(entries) as Row
}
