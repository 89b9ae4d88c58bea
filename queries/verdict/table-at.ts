import { formatInstant, type Instant, type TimePrecision } from '../../transform/instant.js'
import type { EventName } from '../../transform/stream-record.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type BindOptions, bindQuery } from '../bind.js'
import { savedQuery } from '../catalog.js'
import { olderItems, rowsOfEachItem } from '../each-item.js'
import { hasCopy, type QueryEngine } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import { streamRows } from '../engines/stream-rows.js'
import { rowsWithoutImages } from '../replaced-columns.js'
import { actorOfToday } from '../todays-actor.js'
import { alterationOf } from './alteration.js'
import { countAltered, withAltered } from './altered-items.js'
import { readSealedFacts } from './archive-facts.js'
import { findingsByItem, pairByItem, type TableFinding } from './continuity.js'
import type { Confidence } from './findings.js'
import { goneAt, knownByFacts, toldByFacts } from './gone-items.js'
import { lastOfLinked } from './last-of-linked.js'
import { ofUnknown } from './unseen.js'
import { judgeBriefly, momentOf, stateSince } from './verdict.js'

/** One item of a table as it was at a moment, and how far that can be believed. */
export interface ItemOfTable {
  readonly itemKey: string
  readonly state: 'present' | 'unknown'
  readonly confidence: Confidence
  /** Canonical DynamoDB JSON. */
  readonly image: string | null
  readonly imageHash: string | null
  /** The change that led here; undefined where it is not known. */
  readonly last: LastChange | undefined
  /** True where changes of one time contradict one another, so that the state after them is one of several. */
  readonly unresolved: boolean
}

/** The change that an item's state at a moment comes from. */
export interface LastChange {
  readonly event_id: string
  readonly event_name: EventName
  readonly event_time_us: number
  readonly time_precision: TimePrecision
  readonly actor: string | null
}

/**
 * What a table held at a moment, one item after the other, by key, those among them that were there although the
 * archive cannot say what they were. Where the engine can stream, memory holds a few of them and what does not fit
 * together.
 */
export async function* itemsAt(
  engine: QueryEngine,
  table: TableConfiguration,
  at: Pick<Instant, 'us'>,
): AsyncGenerator<ItemOfTable> {
  const facts = await readSealedFacts(engine, table, { afterUs: Number.NEGATIVE_INFINITY, toUs: at.us })
  // of a row that is another nobody knows when it was: it may have been the one that counts at the moment
  // a copy is of rows as they were when it was made, and its files are held against their own hashes
  const isCopied = await hasCopy(engine, table.table)
  const altered = await countAltered(engine, table, { fromUs: at.us, toUs: at.us }, isCopied ? false : undefined)
  const period = momentOf(facts, at.us)
  const confidenceIn = (itemKey: string, findings: readonly TableFinding[], lastUs?: number): Confidence => {
    const since = stateSince(period.afterUs, lastUs, at.us)
    return withAltered(judgeBriefly(itemKey, findings, facts, period, since), altered?.get(itemKey)).confidence
  }
  const known = toldByFacts(TABLE_AS_OF, facts, [at.us], [await goneAt(engine, table, facts, at.us)])
  const states = statesAt(engine, table, at.us, known, { actor: await actorOfToday(engine, table) })
  const nothing = { state: 'unknown', image: null, imageHash: null, last: undefined, unresolved: false } as const
  const items = pairByItem(states, olderAt(engine, table, at.us))
  for await (const { itemKey, one: item, other } of pairByItem(items, findingsByItem(engine, table, facts))) {
    if (item === undefined) continue
    const findings = other?.findings ?? []
    // of an item that is told without a change `olderAt` may tell, too: by then there may only be a baseline ahead
    const row = item.one?.row
    if (row === undefined) yield { itemKey, confidence: ofUnknown(confidenceIn(itemKey, findings)), ...nothing }
    else {
      const lastUs = row.event_id === null ? undefined : Number(row.event_time_us)
      yield toItem(row, confidenceIn(itemKey, findings, lastUs))
    }
  }
}

/** An item of a table at a moment, without its image. */
export interface HashedItem {
  readonly itemKey: string
  /** `older`: it was there although the archive has no change of it by then, and `itemsAt` calls it unknown. */
  readonly state: ItemOfTable['state'] | 'older'
  /** SHA-256 of its image, of an older one of what its first change left, later on; null where it is not known. */
  readonly hash: string | null
}

/** The items that `itemsAt` tells, each once, without reading images and without a verdict. */
export async function* hashesAt(
  engine: QueryEngine,
  table: TableConfiguration,
  us: number,
): AsyncGenerator<HashedItem> {
  const known = await knownByFacts(engine, table, TABLE_AS_OF, { at: formatInstant(us, 6) })
  const states = statesAt(engine, table, us, known, { rows: rowsWithoutImages })
  for await (const { itemKey, one, other: older } of pairByItem(states, olderAt(engine, table, us))) {
    const row = one?.row
    if (row !== undefined && (older === undefined || row.event_id !== null))
      yield { itemKey, state: row.state as ItemOfTable['state'], hash: row.image_hash as string | null }
    else if (older !== undefined)
      yield { itemKey, state: 'older', hash: NO_STATES.has(older.entryState) ? null : older.entryState }
  }
}

/** What tells of a state that nobody knows. */
const NO_STATES: ReadonlySet<string> = new Set(['unknown', 'unlinked'])

/** An item that was there at a moment although the archive has no change of it by then. */
interface OlderItem {
  readonly itemKey: string
  /** The state that its first change left, later on: a hash, or a word that tells of none. */
  readonly entryState: string
}

/** The items that were there at a moment and of which nothing but baselines that were ahead can be there by then. */
async function* olderAt(engine: QueryEngine, table: TableConfiguration, us: number): AsyncGenerator<OlderItem> {
  const rows = rowsOfEachItem(engine, table, olderItems(table, us))
  for await (const { item_key, event_time_us, entry_state } of rows)
    if (Number(event_time_us) > us) yield { itemKey: item_key as string, entryState: entry_state as string }
}

const TABLE_AS_OF = savedQuery('table-as-of')

/** What `toItem` reads of a row: the time as text, which it does not, takes longest. */
const READ = TABLE_AS_OF.columns.map(({ name }) => name).filter(name => name !== 'event_time')

/** What `hashesAt` does. */
const READ_OF_HASHES = ['item_key', 'state', 'image_hash', 'event_id']

async function* statesAt(
  engine: QueryEngine,
  table: TableConfiguration,
  us: number,
  known: Readonly<Record<string, string>>,
  options: BindOptions,
): AsyncGenerator<{ readonly itemKey: string; readonly row: Row }> {
  const parameters = { at: formatInstant(us, 6), ...known }
  const { sql, values, scope, parameters: bound } = bindQuery(TABLE_AS_OF, table, parameters, options)
  // who made a change by what is configured today is read from images, in the long statement only
  const isNarrow = scope !== undefined && options.actor === undefined
  const narrowing = isNarrow ? lastOfLinked(TABLE_AS_OF, table, us, bound, options.rows !== undefined) : undefined
  const columns = options.rows === undefined ? READ : READ_OF_HASHES
  const read = narrowing && { ...narrowing, others: { ...narrowing.others, columns } }
  const rows = streamRows(engine, sql, values, { scope: scope && { ...scope, narrowing: read } })
  for await (const row of rows) yield { itemKey: row.item_key as string, row }
}

function toItem(row: Row, confidence: Confidence): ItemOfTable {
  const { item_key, state, image, image_hash, event_id, event_name, event_time_us, time_precision, actor } = row
  const last = { event_id, event_name, event_time_us: Number(event_time_us), time_precision, actor } as LastChange
  const unreadable = alterationOf(image, image_hash)
  const about = {
    itemKey: item_key as string,
    imageHash: image_hash as string | null,
    unresolved: row.unresolved === true,
  }
  if (unreadable !== undefined)
    return {
      ...about,
      state: unreadable === null ? 'present' : 'unknown',
      confidence: confidence === 'UNCHECKED' ? confidence : 'ALTERED',
      image: unreadable === null ? (image as string) : null,
      last: event_id === null ? undefined : last,
    }
  return {
    ...about,
    state: state as ItemOfTable['state'],
    confidence: state === 'unknown' ? ofUnknown(confidence) : confidence,
    image: image as string | null,
    last: event_id === null ? undefined : last,
  }
}
