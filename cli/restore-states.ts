import { readHistories } from '../queries/histories.js'
import {
  type Keyed,
  type PlannedChange,
  type PlanOptions,
  pairItems,
  planItem,
  planTable,
  type Then,
  thenOf,
  thenOfTable,
} from '../queries/restore-plan.js'
import { stateAt } from '../queries/state-at.js'
import { type ItemOfTable, itemsAt } from '../queries/table-at.js'
import type { LiveTable } from '../restore/live-table.js'
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
  readonly options: PlanOptions
}

/** What is told while a plan is made. */
export interface PlanListener {
  readonly onSame: () => void
  /** Items of the table that were read. */
  readonly onRead: (items: number) => void
}

/** The plan for one item that a user typed, and its canonical key. Throws `CommandError` for one that was never seen. */
export async function planOne(
  question: Question,
  typed: string,
): Promise<{ key: string; planned: PlannedChange | undefined }> {
  const { workspace, table, at, beganUs, live, options } = question
  const all = await findHistory(workspace, table, typed)
  const key = all.itemKey
  const now = async () => {
    if (live === null) return null
    if (live !== undefined) return (await live.read([key])).get(key)?.image ?? null
    const { state, image } = thenOf(stateAt(all, instantOf('now', 'now'), beganUs))
    return state === 'unknown' ? undefined : image
  }
  return { key, planned: planItem(key, thenOf(stateAt(all, at, beganUs)), await now(), options) }
}

/** The plan for a whole table, in the order of its keys. Memory holds a few items, whatever the table's size. */
export function planAll(question: Question, { onSame, onRead }: PlanListener): AsyncGenerator<PlannedChange> {
  const { workspace, table, at, beganUs, options } = question
  const look = async (keys: readonly string[]): Promise<ReadonlyMap<string, Then>> => {
    const histories = await readHistories(workspace.engine, table, keys)
    return new Map([...histories].map(([key, all]) => [key, thenOf(stateAt(all, at, beganUs))]))
  }
  const then = sortStates(itemsAt(workspace.engine, table, at))
  return planTable(pairItems(then, itemsNow(question, onRead), compareUtf8), look, options, onSame)
}

async function* sortStates(items: AsyncIterable<ItemOfTable>): AsyncGenerator<Keyed<Then>> {
  for await (const { key, text } of sortByKey(textsOf(items))) yield { key, value: JSON.parse(text) as Then }
}

async function* textsOf(items: AsyncIterable<ItemOfTable>): AsyncGenerator<KeyedText> {
  for await (const item of items) yield { key: item.itemKey, text: JSON.stringify(thenOfTable(item)) }
}

async function* itemsNow({ workspace, table, live }: Question, onRead: (items: number) => void) {
  if (live === null) return
  if (live !== undefined) {
    for await (const { key, text } of sortByKey(scanned(live, onRead))) yield { key, value: text }
    return
  }
  for await (const { key, value } of sortStates(itemsAt(workspace.engine, table, instantOf('now', 'now'))))
    yield { key, value: value.image ?? undefined }
}

async function* scanned(live: LiveTable, onRead: (items: number) => void): AsyncGenerator<KeyedText> {
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
