/** One change, the items of a table, and where a value stood, as programs have them. */
import type { Unsealing } from '../erasure/reveal.js'
import { revealChange } from '../erasure/revealed.js'
import { type AnsweredChange, readFoundEvent } from '../queries/answers/read-found-event.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { findEvents, listEvents, readEventId, whyNoEventId } from '../queries/find-event.js'
import { ParameterError } from '../queries/parameters.js'
import type { Confidence, ItemFinding } from '../queries/verdict/findings.js'
import type { ListedItem } from '../queries/verdict/item-list.js'
import type { EventObject } from '../queries/verdict/sealed-event.js'
import type { ValueSpan } from '../queries/verdict/value-spans.js'
import { type Item, parseItem } from '../transform/attribute-value.js'
import { formatInstant } from '../transform/instant.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type Change, changeHead, toChange } from './archive-answers.js'
import { ArchiveError } from './archive-error.js'

/** One change, its place in the history of its item, and where it lies. */
export interface ChangeInHistory {
  readonly table: string
  readonly key: Item
  readonly change: Change
  /** Its number among all changes of the item, from 1, and how many these are. */
  readonly place: number
  readonly of: number
  /** The ids of the changes beside it. */
  readonly earlier: string | null
  readonly later: string | null
  /** SHA-256 of the images and of the row, in lower hex. */
  readonly beforeHash: string | null
  readonly afterHash: string | null
  readonly rowHash: string
  /** The objects of its day that hold it, and what the journal says of them; null where the archive is no folder. */
  readonly objects: readonly EventObject[] | null
  /** Of the item's whole history. */
  readonly confidence: Confidence
  readonly findings: readonly ItemFinding[]
  readonly remarks: readonly string[]
}

/** An item that the archive knows. */
export interface ItemKnown {
  readonly key: Item
  /** `gone`: a complete baseline since its last change lacks it, though no REMOVE of it came. */
  readonly state: ListedItem['state']
  /** Its last change, which may be what a baseline saw. */
  readonly change: Pick<Change, 'eventId' | 'eventName' | 'time' | 'timeUs' | 'precision' | 'actor'>
  /** How many changes there are of it. */
  readonly changes: number
  /** How many such items the archive knows, those among them that are over the limit. */
  readonly known: number
}

/** A place of an item in which a value stood, and for how long. */
export interface FoundValue {
  readonly key: Item
  readonly path: string
  /** When it came, six digits, and by which change; without one it stood there by then already. */
  readonly from: string
  readonly fromEvent: string | null
  /** When it went; without an event it was gone by then; null of both: it stands there still. */
  readonly until: string | null
  readonly untilEvent: string | null
  /** Of the item's whole history. */
  readonly confidence: Confidence
}

/**
 * Reads the only change of some tables whose id begins so, what is sealed in it opened. Throws as `OpenArchive.change`
 * says.
 */
export async function readOneChange(
  engine: QueryEngine,
  tables: readonly TableConfiguration[],
  eventId: string,
  open: (table: TableConfiguration) => Promise<Unsealing>,
): Promise<ChangeInHistory> {
  const prefix = readEventId(eventId)
  if (prefix === undefined) throw new ParameterError(whyNoEventId(eventId))
  const found = await findEvents(engine, tables, prefix)
  const [only, ...others] = found
  const names = tables.map(({ table }) => table).join(', ') || 'any table'
  if (only === undefined) throw new ArchiveError(`event ${prefix} is not in the archive of ${names}`)
  if (others.length > 0)
    throw new ParameterError(`event ${prefix} is the beginning of several ids: ${listEvents(found)}`)
  return changeInHistory(only.table.table, await readFoundEvent(engine, only), await open(only.table))
}

function changeInHistory(table: string, found: AnsweredChange, unseal: Unsealing): ChangeInHistory {
  const { history, change, step, place, earlier, later, row, objects } = found
  const { confidence, findings, remarks } = history
  return {
    table,
    key: parseItem(history.itemKey),
    change: toChange(revealChange(change, unseal), step.ordered),
    place,
    of: history.changes.length,
    earlier: earlier?.event_id ?? null,
    later: later?.event_id ?? null,
    beforeHash: change.old_hash,
    afterHash: change.new_hash,
    rowHash: String(row.row_hash),
    objects,
    confidence,
    findings,
    remarks,
  }
}

/** A listed item, as programs have it. */
export function toItemKnown({ itemKey, state, last, changes, known }: ListedItem): ItemKnown {
  return { key: parseItem(itemKey), state, change: changeHead(last), changes, known }
}

/** A place in which a value stood, as programs have it. */
export function foundValue({
  itemKey,
  path,
  fromUs,
  fromEvent,
  untilUs,
  untilEvent,
  confidence,
}: ValueSpan): FoundValue {
  const until = untilUs === null ? null : formatInstant(untilUs, 6)
  return { key: parseItem(itemKey), path, from: formatInstant(fromUs, 6), fromEvent, until, untilEvent, confidence }
}
