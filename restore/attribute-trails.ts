/**
 * Who wrote each attribute of an item last, from one change on, and what it was before: what of one writer's work still
 * stands in the item.
 */
import type { HistoryChange } from '../queries/verdict/item-change.js'
import type { Step } from '../queries/verdict/step.js'

/** An item's attributes in canonical text, without those of its key; null where there is no item. */
export type AttributeTexts = ReadonlyMap<string, string> | null

/** From one state of an item to the next; `by` is null where the archive lacks the change. */
export interface Move {
  readonly before: AttributeTexts
  readonly after: AttributeTexts
  readonly by: HistoryChange | null
}

/** How one attribute, or the item itself, came to be what it is by the archive's last change. */
export interface Trail {
  /** What it is by then; undefined where it is not there. */
  readonly value: string | undefined
  /** The change that made it so; null where the archive lacks that change. */
  readonly by: HistoryChange | null
  /** True where the writer's changes made it so. */
  readonly isMine: boolean
  /** What it was before the unbroken run of the writer's changes that made it so. */
  readonly back: string | undefined
  /** What it was before the first of the writer's changes of it; null where none of them changed it. */
  readonly first: { readonly value: string | undefined } | null
}

/** The trails of an item's attributes by name, and of the item itself, which is undefined or there. */
export interface Trails {
  readonly attributes: ReadonlyMap<string, Trail>
  readonly item: Trail | undefined
  /** What the item is by the last move. */
  readonly last: AttributeTexts
}

/**
 * The moves of an item, from the step at `from` on. Undefined where no image tells what the item was before or after a
 * change.
 */
export function movesFrom(
  steps: readonly Step<HistoryChange>[],
  from: number,
  read: (image: string) => AttributeTexts,
): readonly Move[] | undefined {
  const moves: Move[] = []
  const earlier = steps.slice(0, from).findLast(step => !step.ahead)
  let state = earlier === undefined ? undefined : stateLeft(earlier, read)
  for (const step of steps.slice(from)) {
    // what a baseline saw of a later change is told by that change
    if (step.ahead) continue
    if (step.changes.length === 0 && state !== undefined) moves.push({ before: state, after: null, by: null })
    if (step.changes.length === 0) state = null
    for (const change of step.changes) {
      const entered = enteredBy(change, read)
      // that there was no item is known, too
      const before = entered === undefined ? state : entered
      const after = leftBy(change, read)
      if (before === undefined || after === undefined) return undefined
      // where the archive lacks what came between, nobody knows who made it
      if (state !== undefined && moves.length > 0) moves.push({ before: state, after: before, by: null })
      if (change.event_name !== 'BASELINE') moves.push({ before, after, by: change })
      state = after
    }
  }
  return moves
}

/** What a change found by its own row; undefined where that has no image of it. */
function enteredBy(change: HistoryChange, read: Read): AttributeTexts | undefined {
  const { event_name: name, old_image: old, new_image: image } = change
  if (name === 'INSERT') return null
  const seen = name === 'BASELINE' ? image : old
  return seen === null ? undefined : read(seen)
}

function leftBy({ event_name: name, new_image: image }: HistoryChange, read: Read): AttributeTexts | undefined {
  if (name === 'REMOVE') return null
  return image === null ? undefined : read(image)
}

function stateLeft(step: Step<HistoryChange>, read: Read): AttributeTexts | undefined {
  const last = step.changes.at(-1)
  return last === undefined ? null : leftBy(last, read)
}

type Read = (image: string) => AttributeTexts

/** Follows each attribute through some moves, of which those of `mine` are the writer's, by event id. */
export function trailsOf(moves: readonly Move[], mine: ReadonlySet<string>): Trails {
  const attributes = new Map<string, Trail>()
  let item: Trail | undefined
  for (const { before, after, by } of moves) {
    const isMine = by !== null && mine.has(by.event_id)
    const cause = { by, isMine }
    for (const name of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
      const [from, to] = [before?.get(name), after?.get(name)]
      if (from !== to) attributes.set(name, goOn(attributes.get(name), from, to, cause))
    }
    if ((before === null) === (after === null)) continue
    item = goOn(item, thereText(before), thereText(after), cause)
    // whoever makes an item, or removes it, answers for all of it, also for what it has not
    if (!isMine) for (const [name, trail] of attributes) attributes.set(name, { ...trail, ...cause })
  }
  return { attributes, item, last: moves.at(-1)?.after ?? null }
}

function goOn(
  trail: Trail | undefined,
  from: string | undefined,
  value: string | undefined,
  cause: Pick<Trail, 'by' | 'isMine'>,
): Trail {
  const back = cause.isMine && trail?.isMine === true ? trail.back : from
  const first = trail?.first ?? (cause.isMine ? { value: from } : null)
  return { ...cause, value, back, first }
}

/** As the value of the item's own trail. */
function thereText(attributes: AttributeTexts): string | undefined {
  return attributes === null ? undefined : 'there'
}
