import { type AnsweredHistory, readHistory } from '../../../queries/answers/read-history.js'
import { type FoundEvent, readEventId } from '../../../queries/find-event.js'
import { historyBetweenEvents, stateAfterEvent } from '../../../queries/verdict/state-after.js'
import type { StateAt } from '../../../queries/verdict/state-at.js'
import { namedEvent } from '../../ask/named-event.js'
import type { Workspace } from '../../ask/workspace.js'
import { CommandError, EXIT, type Options } from '../../io.js'
import { shortId } from '../../show/confidence.js'
import { showItemKey } from '../../show/item-key.js'

/** Two events as they were typed, and their table where it was. */
interface TypedEvents {
  readonly table: string | undefined
  readonly from: string
  readonly to: string
}

/** The events that the arguments name in place of a key; undefined where they name none. Throws `CommandError`. */
export function eventsTyped(
  [first = '', second = '', third]: readonly string[],
  { from }: Options,
  { tables }: Workspace,
): TypedEvents | undefined {
  const isEvent = (text: string) => readEventId(text) !== undefined
  const isTable = tables.some(table => table.toLowerCase() === first.toLowerCase())
  const typed =
    third !== undefined
      ? { table: first, from: second, to: third }
      : isEvent(first) && isEvent(second) && !isTable
        ? { table: undefined, from: first, to: second }
        : undefined
  if (typed === undefined) return undefined
  if (from !== undefined)
    throw new CommandError('--from is of a key; two events are two moments themselves, give one or the other')
  return typed
}

/** What the item of two events was after each. */
export interface BetweenEvents {
  readonly table: FoundEvent['table']
  readonly all: AnsweredHistory
  readonly from: StateAt
  readonly to: StateAt
  /** The verdict about the time between them. */
  readonly until: ReturnType<typeof historyBetweenEvents>
}

/**
 * Reads the history of the item that two events are of. Throws `CommandError` for those of two items, in the wrong
 * order, or of which the stream kept no image.
 */
export async function betweenEvents(workspace: Workspace, typed: TypedEvents): Promise<BetweenEvents> {
  const [from, to] = [
    await namedEvent(workspace, typed.table, typed.from),
    await namedEvent(workspace, typed.table, typed.to),
  ]
  checkOneItem(from, to)
  const all = await readHistory(workspace.engine, from.table, from.itemKey)
  const placeOf = ({ eventId }: FoundEvent) => all.changes.findIndex(({ event_id: id }) => id === eventId)
  if (placeOf(from) > placeOf(to))
    throw new CommandError(
      `event ${shortId(from.eventId)} came after event ${shortId(to.eventId)}, the earlier is typed first`,
      EXIT.usage,
      `did you mean: itemtrail diff ${from.table.table} ${shortId(to.eventId)} ${shortId(from.eventId)}`,
    )
  const states = [from, to].map(({ eventId }) => stateAfterEvent(all, eventId)) as [StateAt, StateAt]
  for (const state of states) checkImage(state)
  const until = historyBetweenEvents(all, from.eventId, to.eventId)
  return { table: from.table, all, from: states[0], to: states[1], until }
}

function checkOneItem(from: FoundEvent, to: FoundEvent): void {
  const [one, other] = [from, to].map(({ table, itemKey }) => `${table.table} ${showItemKey(itemKey)}`)
  if (one !== other)
    throw new CommandError(
      `event ${shortId(from.eventId)} is of ${one}, and event ${shortId(to.eventId)} of ${other}; expected two of one item`,
    )
}

function checkImage({ state, last }: StateAt): void {
  if (state.kind !== 'unknown' || last === undefined) return
  throw new CommandError(
    `of ${last.event_name} ${shortId(last.event_id)} the archive has no image after it`,
    EXIT.unchecked,
    'the item then is not known; itemtrail history shows what is',
  )
}
