import type { Unsealing } from '../erasure/reveal.js'
import { revealHistory, revealState } from '../erasure/revealed.js'
import type { Difference } from '../queries/difference.js'
import type { Alteration } from '../queries/verdict/alteration.js'
import type { Confidence, ItemFinding } from '../queries/verdict/findings.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import type { StateAt } from '../queries/verdict/state-at.js'
import { type Item, parseItem } from '../transform/attribute-value.js'
import { formatInstant, type TimePrecision } from '../transform/instant.js'
import type { EventName } from '../transform/stream-record.js'

/** One change of an item. */
export interface Change {
  readonly eventId: string
  readonly eventName: EventName
  /** ISO 8601 in UTC, with the digits that are known. */
  readonly time: string
  /** Microseconds since 1970. */
  readonly timeUs: number
  readonly precision: TimePrecision
  readonly sequence: string | null
  /** Who made it, as far as the record tells; `actorSource` says where that was found. */
  readonly actor: string | null
  readonly actorSource: string
  /** Who wrote the version before the change, or that a baseline found; not who removed it. */
  readonly lastWriter: string | null
  readonly userIdentity: unknown
  readonly viewType: string | null
  /** Top-level attributes that differ; null where an image needed to tell is missing. */
  readonly changed: readonly string[] | null
  /** DynamoDB JSON; null where there was no item or the stream kept no image. */
  readonly before: Item | null
  readonly after: Item | null
  /** How many further times it was delivered, and whether these deliveries contradict one another. */
  readonly repeats: number
  readonly conflict: boolean
  /** What of it is not what its own hashes say; an image that cannot be read at all is null besides. */
  readonly altered: readonly Alteration[]
  /** False where its place among changes of the same time is not certain. */
  readonly ordered: boolean
}

/** An item's changes, oldest first, what does not fit together in them, and how far they can be believed. */
export interface History {
  readonly table: string
  readonly key: Item
  /** None for an item that the archive never saw; it may be older than the archive. */
  readonly changes: readonly Change[]
  readonly findings: readonly ItemFinding[]
  readonly confidence: Confidence
  /** What the archive's facts say beside that, for people. */
  readonly remarks: readonly string[]
}

/** What an item was at a moment, in DynamoDB JSON where it was present. */
export type ItemAt = AboutItem &
  (
    | { readonly state: 'present'; readonly item: Item; readonly imageHash: string }
    /** `not there yet`: before its first change, or never seen; `unknown`: the archive cannot tell. */
    | { readonly state: 'deleted' | 'not there yet' | 'unknown'; readonly item: null; readonly imageHash: null }
  )

/** What is told of an item at a moment, whatever it was. */
export interface AboutItem {
  readonly table: string
  readonly key: Item
  readonly at: string
  readonly confidence: Confidence
  readonly findings: readonly ItemFinding[]
  /** What the archive's facts say beside that, for people. */
  readonly remarks: readonly string[]
  /** The change that led here, and the one that ended it. */
  readonly change: Change | undefined
  readonly next: Change | undefined
  /** True where changes between these two are missing, perhaps from before the moment. */
  readonly gapAhead: boolean
  /** True where the moment is before the first change of the whole table. */
  readonly beforeArchive: boolean
}

/** One item of a whole table at a moment. */
export interface TableItem {
  readonly key: Item
  readonly state: 'present' | 'unknown'
  /** DynamoDB JSON; null unless present. */
  readonly item: Item | null
  readonly imageHash: string | null
  readonly confidence: Confidence
  /** The change that led here, where it is known. */
  readonly change: Pick<Change, 'eventId' | 'eventName' | 'time' | 'timeUs' | 'precision' | 'actor'> | undefined
  /** True where changes of one time contradict one another, so that this is one of several states. */
  readonly unresolved: boolean
}

/** What differs in an item between two moments. */
export interface ItemDiff {
  readonly before: ItemAt
  readonly after: ItemAt
  /** How many changes there are between the two. */
  readonly changes: number
  /** Undefined where one of the two states is unknown. */
  readonly differences: readonly Difference[] | undefined
  readonly confidence: Confidence
}

/**
 * An item at a moment (microseconds since 1970), from its whole history and what it was then, with what is sealed in it
 * replaced.
 */
export function itemRevealed(table: string, all: ItemHistory, us: number, found: StateAt, unseal: Unsealing): ItemAt {
  const { state, until, last, next, gapAhead, beforeArchive } = revealState(found, unseal)
  const changes = new Map(changesOf(revealHistory(all, unseal)).map(change => [change.eventId, change]))
  const about = {
    table,
    key: parseItem(all.itemKey),
    at: formatInstant(us, 6),
    confidence: until.confidence,
    findings: until.findings,
    remarks: until.remarks,
    change: last && changes.get(last.event_id),
    next: next && changes.get(next.event_id),
    gapAhead,
    beforeArchive,
  }
  if (state.kind === 'present')
    return { ...about, state: 'present', item: parseItem(state.image), imageHash: state.hash }
  return { ...about, state: state.kind === 'never seen' ? 'not there yet' : state.kind, item: null, imageHash: null }
}

/** An item's changes in order. */
export function changesOf({ steps }: ItemHistory): readonly Change[] {
  return steps.flatMap(({ changes, ordered }) => changes.map(change => toChange(change, ordered)))
}

/** One change, as programs have it. */
export function toChange(change: HistoryChange, ordered: boolean): Change {
  const image = (text: string | null) => (text === null ? null : parseItem(text))
  return {
    ...changeHead(change),
    sequence: change.sequence,
    actorSource: change.actor_source,
    lastWriter: change.last_writer,
    userIdentity: change.user_identity === null ? null : (JSON.parse(change.user_identity) as unknown),
    viewType: change.view_type,
    changed: change.changed,
    before: image(change.old_image),
    after: image(change.new_image),
    repeats: change.repeats,
    conflict: change.conflict,
    altered: change.altered,
    ordered,
  }
}

/** What a whole table's items say of the change that led to them. */
export function changeHead(
  change: Pick<HistoryChange, 'event_id' | 'event_name' | 'event_time_us' | 'time_precision' | 'actor'>,
) {
  const digits = change.time_precision === 's' ? 0 : change.time_precision === 'us' ? 6 : 3
  return {
    eventId: change.event_id,
    eventName: change.event_name,
    time: formatInstant(change.event_time_us, digits),
    timeUs: change.event_time_us,
    precision: change.time_precision,
    actor: change.actor,
  }
}
