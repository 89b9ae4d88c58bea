import { batchesOf } from '../capture/batches.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import type { ItemChanges } from '../queries/list-changes.js'
import type { LostStretch } from '../queries/verdict/archive-facts.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import { readHistories } from '../queries/verdict/histories.js'
import { stateAt } from '../queries/verdict/state-at.js'
import { itemsAt } from '../queries/verdict/table-at.js'
import { formatInstant, type Instant } from '../transform/instant.js'
import { compareUtf8 } from '../transform/json.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { LiveTable, TableDescription } from './live-table.js'
import {
  hidePlanned,
  type Keyed,
  type Now,
  type PairListener,
  type PlannedChange,
  type PlanOptions,
  pairItems,
  planItems,
  planTable,
  type Then,
  thenOf,
  thenOfTable,
} from './restore-plan.js'
import { type KeyedText, sortByKey } from './sorted.js'
import { undoItem } from './undo-item.js'

/** What a plan is made of: the past of a table, and where its present is to be seen. */
export interface PastAndPresent {
  /** The archive. */
  readonly engine: QueryEngine
  readonly table: TableConfiguration
  readonly at: Instant
  readonly beganUs: number
  /** The table as it is; undefined: the newest states in the archive; null: a place that has nothing. */
  readonly live: LiveTable | undefined | null
  /** The table that is to be written; null where none was looked at. */
  readonly target: TableDescription | null
  readonly options: PlanOptions
  /** When changes of the table were lost. */
  readonly lost: readonly LostStretch[]
}

/** What is told while a plan is made. */
export interface PlanListener extends PairListener {
  /** Items of the table that were read. */
  readonly onRead: (items: number) => void
}

/** The plan for one item, whose whole history is given, beside what it was; undefined where it is so. */
export async function planOne(
  subject: PastAndPresent,
  all: ItemHistory,
  { onSame, onWithinSecond }: PlanListener,
  then: Then = thenAt(all, subject),
): Promise<PlannedChange | undefined> {
  const item = { key: all.itemKey, was: then, now: (await itemsNowOf([all.itemKey], subject))(all) }
  const [planned] = await planItems([item], subject.options)
  if (then.withinSecond) onWithinSecond()
  if (planned === undefined) onSame()
  return planned
}

function thenAt(all: ItemHistory, { at, beganUs, lost }: PastAndPresent): Then {
  return thenOf(stateAt(all, at, beganUs), at, lost)
}

/** What some items are now, read from the table at once where there is one. */
async function itemsNowOf(keys: readonly string[], subject: PastAndPresent): Promise<(all: ItemHistory) => Now> {
  const { live } = subject
  if (live === null) return () => null
  if (live === undefined) return all => stateNow(all, subject)
  const found = await live.read(keys)
  return ({ itemKey }) => found.get(itemKey)?.image ?? null
}

/** What the archive takes an item for by now. */
function stateNow(all: ItemHistory, subject: PastAndPresent): Now {
  const { state, image } = thenAt(all, { ...subject, at: currentInstant() })
  return state === 'unknown' ? undefined : image
}

/** The plan for a whole table, in the order of its keys. Memory holds a few items, whatever the table's size. */
export function planAll(subject: PastAndPresent, listener: PlanListener): AsyncGenerator<PlannedChange> {
  const { engine, table, at, options } = subject
  const look = async (keys: readonly string[]): Promise<ReadonlyMap<string, Then>> => {
    const histories = await readHistories(engine, table, keys)
    return new Map([...histories].map(([key, all]) => [key, thenAt(all, subject)]))
  }
  const pairs = pairItems(statesAt(subject, at), itemsNow(subject, listener.onRead), compareUtf8)
  return planTable(pairs, look, options, listener)
}

async function* statesAt(subject: PastAndPresent, at: Instant): AsyncGenerator<Keyed<Then>> {
  for await (const { key, text } of sortByKey(textsAt(subject, at))) yield { key, value: JSON.parse(text) as Then }
}

async function* textsAt({ engine, table, lost }: PastAndPresent, at: Instant): AsyncGenerator<KeyedText> {
  for await (const item of itemsAt(engine, table, at))
    yield { key: item.itemKey, text: JSON.stringify(thenOfTable(item, at, lost)) }
}

async function* itemsNow(subject: PastAndPresent, onRead: (items: number) => void): AsyncGenerator<Keyed<Now>> {
  const { live } = subject
  if (live === null) return
  if (live === undefined) {
    for await (const { key, value } of statesAt(subject, currentInstant()))
      yield { key, value: value.image ?? undefined }
    return
  }
  for await (const { key, text } of sortByKey(scan(live, onRead))) yield { key, value: text }
}

async function* scan(live: LiveTable, onRead: (items: number) => void): AsyncGenerator<KeyedText> {
  let items = 0
  for await (const { key, image } of live.scan()) {
    onRead(++items)
    yield { key, text: image }
  }
}

function currentInstant(): Instant {
  return { us: Date.now() * 1000, precision: 'ms' }
}

/**
 * The plan that takes back one writer's changes, item by item in the order in which they are given, each with the ids
 * of that writer's changes of it.
 */
export async function* planUndo(
  subject: PastAndPresent,
  written: AsyncIterable<ItemChanges>,
  { onSame }: Pick<PlanListener, 'onSame'>,
): AsyncGenerator<PlannedChange> {
  const { engine, table, options } = subject
  for await (const batch of batchesOf(written, ITEMS)) {
    const keys = batch.map(({ itemKey }) => itemKey)
    const histories = await readHistories(engine, table, keys, ITEMS)
    const now = await itemsNowOf([...histories.keys()], subject)
    const undone = batch.map(({ itemKey, eventIds }) => {
      const all = histories.get(itemKey) as ItemHistory
      return undoItem(all, new Set(eventIds), now(all), options)
    })
    // rows from before a value was erasable have it in clear, and so has the table
    for (const planned of await hidePlanned(undone, options.sealed)) {
      if (planned === undefined) onSame()
      else yield planned
    }
  }
}

/** Items whose whole histories are in memory at once: more of them need fewer looks at the table. */
const ITEMS = 200

/** An instant as a plan has it. */
export function planInstant({ us }: Pick<Instant, 'us'>): string {
  return formatInstant(us, 6)
}
