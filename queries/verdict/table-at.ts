import { formatInstant, type Instant, type TimePrecision } from '../../transform/instant.js'
import type { EventName } from '../../transform/stream-record.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { type BindOptions, bindQuery } from '../bind.js'
import { savedQuery } from '../catalog.js'
import { olderItems, rowsOfEachItem } from '../each-item.js'
import { type QueryEngine, streamAnswer } from '../engines/engine.js'
import { type Row, rowsOf } from '../engines/rows.js'
import { rowsWithoutImages } from '../replaced-columns.js'
import { actorOfToday } from '../todays-actor.js'
import { alterationOf } from './alteration.js'
import { countAltered, withAltered } from './altered-items.js'
import { type ArchiveFacts, readSealedFacts } from './archive-facts.js'
import { type FindingsOfItem, findingsByItem, type TableFinding, withFindings } from './continuity.js'
import type { Confidence } from './findings.js'
import { goneAt, knownByFacts, toldByFacts } from './gone-items.js'
import { lastOfLinked } from './last-of-linked.js'
import { ofUnknown } from './unseen.js'
import { judge, momentOf, stateSince, type Verdict } from './verdict.js'

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
 * What a table held at a moment, one item after the other, by key; then the items that were there although the archive
 * cannot say what they were. Where the engine can stream, memory holds a few of them and what does not fit together.
 */
export async function* itemsAt(
  engine: QueryEngine,
  table: TableConfiguration,
  at: Pick<Instant, 'us'>,
): AsyncGenerator<ItemOfTable> {
  const facts = await readSealedFacts(engine, table, { afterUs: Number.NEGATIVE_INFINITY, toUs: at.us })
  // of a row that is another nobody knows when it was: it may have been the one that counts at the moment
  // a copy is of rows as they were when it was made, and its files are held against their own hashes
  const hasCopy = (await engine.outline?.(table.table)) !== undefined
  const altered = await countAltered(engine, table, { fromUs: at.us, toUs: at.us }, hasCopy ? false : undefined)
  const period = momentOf(facts, at.us)
  const verdict = (itemKey: string, findings: readonly TableFinding[], lastUs?: number): Verdict => {
    const since = stateSince(period.afterUs, lastUs, at.us)
    return withAltered(judge(itemKey, findings, facts, period, since), altered?.get(itemKey))
  }
  const known = toldByFacts(TABLE_AS_OF, facts, [at.us], [await goneAt(engine, table, facts, at.us)])
  const states = statesAt(engine, table, at.us, known, { actor: await actorOfToday(engine, table) })
  const told = new Set<string>()
  for await (const { itemKey, item, findings } of withFindings(keyed(states), findingsByItem(engine, table, facts))) {
    if (item === undefined) continue
    const { row } = item
    if (isLedByNone(row)) told.add(itemKey)
    yield toItem(row, verdict(itemKey, findings, row.event_id === null ? undefined : Number(row.event_time_us)))
  }
  const nothing = { state: 'unknown', image: null, imageHash: null, last: undefined, unresolved: false } as const
  for await (const { itemKey, findings } of olderWithFindings(engine, table, at.us, facts)) {
    if (told.has(itemKey)) continue
    yield { itemKey, confidence: ofUnknown(verdict(itemKey, findings).confidence), ...nothing }
  }
}

/**
 * True of a row that tells an item without a change that led to its state. Of such an item `olderAt` may tell, too: by
 * then there may only be a baseline that was ahead. They are few, and memory may hold their keys.
 */
function isLedByNone({ state, event_id }: Row): boolean {
  return state === 'unknown' && event_id === null
}

async function* keyed(rows: AsyncGenerator<Row>): AsyncGenerator<{ readonly itemKey: string; readonly row: Row }> {
  for await (const row of rows) yield { itemKey: row.item_key as string, row }
}

/** What is found is asked for only where there is such an item. */
async function* olderWithFindings(
  engine: QueryEngine,
  table: TableConfiguration,
  us: number,
  facts: ArchiveFacts,
): AsyncGenerator<FindingsOfItem> {
  const older = olderAt(engine, table, us)
  const first = await older.next()
  if (first.done === true) return
  const all = (async function* () {
    yield first.value
    yield* older
  })()
  for await (const { itemKey, item, findings } of withFindings(all, findingsByItem(engine, table, facts)))
    if (item !== undefined) yield { itemKey, findings }
}

/** An item of a table at a moment, without its image. */
export interface HashedItem {
  readonly itemKey: string
  /** `older`: it was there although the archive has no change of it by then, and `itemsAt` calls it unknown. */
  readonly state: ItemOfTable['state'] | 'older'
  /** SHA-256 of its image, of an older one of what its first change left, later on; null where it is not known. */
  readonly hash: string | null
}

/** The items that `itemsAt` tells, each once, without reading images and without a verdict; in no order. */
export async function* hashesAt(
  engine: QueryEngine,
  table: TableConfiguration,
  us: number,
): AsyncGenerator<HashedItem> {
  const known = await knownByFacts(engine, table, TABLE_AS_OF, { at: formatInstant(us, 6) })
  const untold = new Set<string>()
  for await (const row of statesAt(engine, table, us, known, { rows: rowsWithoutImages })) {
    const itemKey = row.item_key as string
    if (isLedByNone(row)) untold.add(itemKey)
    else yield { itemKey, state: row.state as ItemOfTable['state'], hash: row.image_hash as string | null }
  }
  for await (const { itemKey, entryState } of olderAt(engine, table, us)) {
    untold.delete(itemKey)
    yield { itemKey, state: 'older', hash: NO_STATES.has(entryState) ? null : entryState }
  }
  for (const itemKey of untold) yield { itemKey, state: 'unknown', hash: null }
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
  for await (const { item_key, event_time_us, entry_state } of rowsOfEachItem(engine, table, olderItems(table)))
    if (Number(event_time_us) > us) yield { itemKey: item_key as string, entryState: entry_state as string }
}

const TABLE_AS_OF = savedQuery('table-as-of')

async function* statesAt(
  engine: QueryEngine,
  table: TableConfiguration,
  us: number,
  known: Readonly<Record<string, string>>,
  options: BindOptions,
): AsyncGenerator<Row> {
  const parameters = { at: formatInstant(us, 6), ...known }
  const { sql, values, scope, parameters: bound } = bindQuery(TABLE_AS_OF, table, parameters, options)
  // who made a change by what is configured today is read from images, in the long statement only
  const isNarrow = scope !== undefined && options.actor === undefined
  const narrowing = isNarrow ? lastOfLinked(TABLE_AS_OF, table, us, bound, options.rows !== undefined) : undefined
  for await (const piece of streamAnswer(engine, sql, values, { scope: scope && { ...scope, narrowing } }))
    yield* rowsOf(piece)
}

function toItem(row: Row, { confidence }: Verdict): ItemOfTable {
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
