import { type ArchiveFacts, type LostStretch, readArchiveFacts } from '../queries/verdict/archive-facts.js'
import { readHistories } from '../queries/verdict/histories.js'
import type { ItemHistory } from '../queries/verdict/history.js'
import { stateAt } from '../queries/verdict/state-at.js'
import { itemsAt } from '../queries/verdict/table-at.js'
import type { LiveTable, TableDescription } from '../restore/live-table.js'
import {
  type Keyed,
  type Now,
  type PairListener,
  type PlannedChange,
  type PlanOptions,
  pairItems,
  planItem,
  planTable,
  type Then,
  thenOf,
  thenOfTable,
} from '../restore/restore-plan.js'
import { type KeyedText, sortByKey } from '../restore/sorted.js'
import { formatInstant, type Instant } from '../transform/instant.js'
import { compareUtf8 } from '../transform/json.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { findHistory } from './find-item.js'
import { instantOf } from './instant.js'
import type { Workspace } from './workspace.js'

/** What a plan is made of: the past of a table, and where its present is to be seen. */
export interface Question {
  readonly workspace: Workspace
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

/** The plan for one item that a user typed, and its canonical key. Throws `CommandError` for one that was never seen. */
export async function planOne(
  question: Question,
  typed: string,
  { onSame, onWithinSecond }: PlanListener,
): Promise<{ readonly key: string; readonly planned: PlannedChange | undefined }> {
  const { workspace, table, options } = question
  const all = await findHistory(workspace, table, typed)
  const then = thenAt(all, question)
  const planned = planItem(all.itemKey, then, await itemNow(all, question), options)
  if (then.withinSecond) onWithinSecond()
  if (planned === undefined) onSame()
  return { key: all.itemKey, planned }
}

function thenAt(all: ItemHistory, { at, beganUs, lost }: Question): Then {
  return thenOf(stateAt(all, at, beganUs), at, lost)
}

async function itemNow(all: ItemHistory, question: Question): Promise<Now> {
  const { live } = question
  if (live === null) return null
  if (live !== undefined) return (await live.read([all.itemKey])).get(all.itemKey)?.image ?? null
  const { state, image } = thenAt(all, { ...question, at: instantOf('now', 'now') })
  return state === 'unknown' ? undefined : image
}

/** The plan for a whole table, in the order of its keys. Memory holds a few items, whatever the table's size. */
export function planAll(question: Question, listener: PlanListener): AsyncGenerator<PlannedChange> {
  const { workspace, table, at, options } = question
  let facts: ArchiveFacts | undefined
  const look = async (keys: readonly string[]): Promise<ReadonlyMap<string, Then>> => {
    facts ??= await readArchiveFacts(workspace.engine, table)
    const histories = await readHistories(workspace.engine, table, keys, facts)
    return new Map([...histories].map(([key, all]) => [key, thenAt(all, question)]))
  }
  const pairs = pairItems(statesAt(question, at), itemsNow(question, listener.onRead), compareUtf8)
  return planTable(pairs, look, options, listener)
}

async function* statesAt(question: Question, at: Instant): AsyncGenerator<Keyed<Then>> {
  for await (const { key, text } of sortByKey(textsAt(question, at))) yield { key, value: JSON.parse(text) as Then }
}

async function* textsAt({ workspace, table, lost }: Question, at: Instant): AsyncGenerator<KeyedText> {
  for await (const item of itemsAt(workspace.engine, table, at))
    yield { key: item.itemKey, text: JSON.stringify(thenOfTable(item, at, lost)) }
}

async function* itemsNow(question: Question, onRead: (items: number) => void): AsyncGenerator<Keyed<Now>> {
  const { live } = question
  if (live === null) return
  if (live === undefined) {
    for await (const { key, value } of statesAt(question, instantOf('now', 'now')))
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

/** An instant as a plan has it. */
export function planInstant({ us }: Pick<Instant, 'us'>): string {
  return formatInstant(us, 6)
}
