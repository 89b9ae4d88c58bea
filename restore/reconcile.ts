/**
 * Compares what an archive says that a table's items were at a moment with what somebody else says: the table itself,
 * or an export of it. Both sides are put on disk and joined there, so that memory does not grow with the table. The
 * archive's side is what `as-of` says, by the same statements, on any engine.
 */

import { batchesOf } from '../capture/batches.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { streamRows } from '../queries/engines/stream-rows.js'
import { archiveBegan } from '../queries/verdict/state-at.js'
import { hashesAt } from '../queries/verdict/table-at.js'
import { dateOf } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { changesBetween } from './changes-between.js'
import type { StateSet, StateStore, StoredFields } from './state-store.js'

/** A moment at which both sides are compared, in microseconds since 1970. */
export interface ComparedWindow {
  /** The archive's changes up to it count, itself included. */
  readonly atUs: number
  /**
   * A change in [openFromUs, openUntilUs) may or may not be in what was told; the states that it left or entered are
   * right.
   */
  readonly openFromUs: number
  readonly openUntilUs: number
}

/**
 * The newest state that an archive has, for a table that was read from `fromUs` on. The transform lets in nothing
 * that is more than a day ahead of its arrival.
 */
export function newest(fromUs: number, nowUs: number): ComparedWindow {
  const atUs = nowUs + 2 * 24 * 60 * 60 * SECOND_US
  return { atUs, openFromUs: secondOf(fromUs), openUntilUs: atUs }
}

/** The moment of an export, which has every change before it. Times in a stream are cut to the second. */
export function windowOf(exportUs: number, isWindowEnd: boolean): ComparedWindow {
  const second = secondOf(exportUs)
  // the end of a window excludes itself, and mostly is a whole second: then nothing is open
  const openUntilUs = isWindowEnd && second === exportUs ? second : second + SECOND_US
  return { atUs: second - 1, openFromUs: second, openUntilUs }
}

const SECOND_US = 1_000_000

function secondOf(us: number): number {
  return Math.floor(us / SECOND_US) * SECOND_US
}

/** What somebody says that an item is. */
interface ToldState {
  readonly hash: string
  readonly image: string
}

/** What the archive says, and the configuration that its row was made under. */
interface ArchivedState extends ToldState {
  readonly configId: string
}

/** An item of which the two sides do not say the same. */
export interface Disagreement {
  readonly itemKey: string
  /** True where the archive cannot say what the item was. */
  readonly isUnknown: boolean
  /**
   * What the archive says; null where it says that there is none. Of an item that is older than its first change,
   * what that change left, where the archive had begun by then: `as-of` calls it unknown, but no change can lie
   * between the two.
   */
  readonly archived: ArchivedState | null
  readonly told: ToldState | null
  /**
   * When the archive's last change of the item up to the moment was made, baselines aside, in microseconds since
   * 1970; null without any.
   */
  readonly lastChangeUs: number | null
}

/** How many items were looked at, and those of which the sides do not say the same, by key. */
export interface Comparison {
  readonly items: number
  readonly disagreements: AsyncGenerator<Disagreement>
}

/** An archive's table, and the sealed store of what is told of it. */
export interface Compared {
  readonly engine: QueryEngine
  readonly table: TableConfiguration
  readonly store: StateStore
}

/** Compares all items of both sides at one moment: what is not told is told to be absent. */
export async function compareTables(compared: Compared, moment: ComparedWindow): Promise<Comparison> {
  await keepStates(compared, moment, 'told')
  return compareKept(compared, moment, 'told', 'full outer join')
}

/** Compares only the items that are told. */
export async function compareTold(compared: Compared, moment: ComparedWindow): Promise<Comparison> {
  await keepStates(compared, moment, 'told')
  return compareKept(compared, moment, 'told', 'right join')
}

/** What each end of a window tells. */
export interface WindowComparison {
  readonly before: Comparison
  readonly after: Comparison
}

/**
 * Compares what an incremental export tells of the items that changed in a window: at its beginning (`told_before`,
 * unless the export has no old images) and at its end. An item that the archive says changed in it and the export
 * leaves out is told to be at the end what the archive says it was at the beginning.
 */
export async function compareWindow(
  compared: Compared,
  [from, to]: readonly [ComparedWindow, ComparedWindow],
): Promise<WindowComparison> {
  await keepStates(compared, from, 'told_before')
  await keepStates(compared, to, 'told')
  await tellUntold(compared, from, to)
  return {
    before: await compareKept(compared, from, 'told_before', 'right join'),
    after: await compareKept(compared, to, 'told', 'right join'),
  }
}

/** The archive's states at the moment, as `as-of` has them; of items older than their first change what that left. */
async function keepStates({ engine, table, store }: Compared, { atUs }: ComparedWindow, set: StateSet): Promise<void> {
  const hasBegun = (await archiveBegan(engine, table)) <= atUs
  await store.fill(`kept_${set}`, ['item_key', 'hash', 'is_unknown'], statesOf(engine, table, atUs, hasBegun))
}

async function* statesOf(
  engine: QueryEngine,
  table: TableConfiguration,
  atUs: number,
  hasBegun: boolean,
): AsyncGenerator<readonly [itemKey: string, hash: string | null, isUnknown: 'unknown' | null]> {
  for await (const { itemKey, state, hash } of hashesAt(engine, table, atUs)) {
    // a change before the archive began may be why an older item is not what was told
    const isKnown = state === 'present' || (state === 'older' && hash !== null && hasBegun)
    yield [itemKey, hash, isKnown ? null : 'unknown']
  }
}

/** Tells of what changed in the window, and is not told, that it is at the end what it was at the beginning. */
async function tellUntold({ engine, table, store }: Compared, from: ComparedWindow, to: ComparedWindow): Promise<void> {
  const changed = changesBetween(engine, table, ['item_key'], from.openUntilUs, to.atUs + 1)
  await store.fill('changed', ['item_key'], changed)
  await store.run(`
    insert into told
    select distinct item_key, before.hash, null
    from changed
    left join kept_told_before as before using (item_key)
    left join kept_told as after using (item_key)
    where item_key not in (select item_key from told)
      and before.hash is distinct from after.hash
      and before.is_unknown is null
      and after.is_unknown is null`)
}

async function compareKept(
  compared: Compared,
  moment: ComparedWindow,
  set: StateSet,
  join: 'full outer join' | 'right join',
): Promise<Comparison> {
  const { engine, table, store } = compared
  const sides = `kept_${set} as kept ${join} ${set} as told on kept.item_key = told.item_key`
  await store.run(`create or replace table disagreed_${set} as
    select
      coalesce(kept.item_key, told.item_key) as item_key,
      kept.is_unknown is not null as is_unknown,
      case when kept.is_unknown is null then kept.hash end as kept_hash,
      told.hash as told_hash,
      told.image as told_image
    from ${sides}
    where kept.hash is distinct from told.hash
      or (kept.is_unknown is not null and kept.hash is null)`)
  const columns = ['item_key', 'event_name', 'old_hash', 'new_hash']
  const open = changesBetween(engine, table, columns, moment.openFromUs, moment.openUntilUs)
  await store.fill('open', columns, open)
  await store.run(`delete from disagreed_${set} as disagreed where ${EXPLAINED}`)
  const items = await store.count(`(select 1 from ${sides})`)
  return { items, disagreements: readDisagreements(compared, moment, set) }
}

/** A change in the open time left or entered what was told. */
const EXPLAINED = `
    not is_unknown
      and exists (
        select 1
        from open
        where open.item_key = disagreed.item_key
          and (
            open.new_hash = told_hash
            or open.old_hash = told_hash
            or (told_hash is null and open.event_name in ('INSERT', 'REMOVE'))
          )
      )`

/** Items whose images are asked for in one statement, each of which reads the table; fewer where it has to be short. */
const [MOST_ITEMS, MOST_IN_SHORT] = [5000, 500]

/** Bytes of images that are told of them, those of the archive are about as many; and of an item that is told gone. */
const [MOST_BYTES, BYTES_OF_GONE] = [16 * 1024 ** 2, 8 * 1024]

async function* readDisagreements(
  { engine, table, store }: Compared,
  { atUs }: ComparedWindow,
  set: StateSet,
): AsyncGenerator<Disagreement> {
  if ((await store.count(`disagreed_${set}`)) === 0) return
  const disagreed = store.stream(`select * from disagreed_${set} order by item_key`)
  const most = engine.takesLongText === true ? MOST_ITEMS : MOST_IN_SHORT
  for await (const batch of batchesOf(disagreed, most, MOST_BYTES, bytesTold)) {
    const images = await imagesOf(engine, table, batch)
    const last = await lastChanges(engine, table, batch, atUs)
    for (const { item_key, is_unknown, kept_hash, told_hash, told_image } of batch)
      yield {
        itemKey: item_key as string,
        isUnknown: is_unknown === true,
        archived: archivedOf(kept_hash, images),
        told: toldOf(told_hash, told_image ?? images.get(told_hash)?.image),
        lastChangeUs: last.get(item_key) ?? null,
      }
  }
}

function bytesTold({ told_image: image }: StoredFields): number {
  return typeof image === 'string' ? image.length : BYTES_OF_GONE
}

/** When the last change of items up to a moment was made, by their keys. */
async function lastChanges(
  engine: QueryEngine,
  table: TableConfiguration,
  disagreed: readonly StoredFields[],
  atUs: number,
): Promise<ReadonlyMap<unknown, number>> {
  const sql = `
    select item_key, max(event_time_us) as last_us
    from ${deliveriesOf(table)}
    where item_key in (${placesFor(disagreed)})
      and event_date <= ?
      and event_time_us <= ?
      and event_name <> 'BASELINE'
    group by item_key`
  const last = new Map<unknown, number>()
  for await (const { item_key, last_us } of streamRows(engine, sql, [...keysOf(disagreed), dateOf(atUs), atUs]))
    last.set(item_key, Number(last_us))
  return last
}

const keysOf = (disagreed: readonly StoredFields[]) => disagreed.map(({ item_key }) => item_key as string)
const placesFor = (disagreed: readonly StoredFields[]) => disagreed.map(() => '?').join(', ')

/** The images of items by their hashes, as far as the comparison names them and the store does not have them. */
async function imagesOf(
  engine: QueryEngine,
  table: TableConfiguration,
  disagreed: readonly StoredFields[],
): Promise<ReadonlyMap<unknown, Pick<ArchivedState, 'image' | 'configId'>>> {
  const images = new Map<unknown, Pick<ArchivedState, 'image' | 'configId'>>()
  const hashesOf = ({ kept_hash, told_hash, told_image }: StoredFields) => [
    ...(kept_hash === null ? [] : [kept_hash]),
    ...(told_hash === null || told_image !== null ? [] : [told_hash]),
  ]
  // most are what a change entered, and images take longest to read
  for (const side of ['new', 'old'] as const) {
    const lacking = disagreed.filter(row => hashesOf(row).some(hash => !images.has(hash)))
    if (lacking.length === 0) break
    const wanted = new Set(lacking.flatMap(hashesOf))
    const sql = `
      select ${side}_hash as hash, ${side}_image as image, config_id
      from ${deliveriesOf(table)}
      where item_key in (${placesFor(lacking)})
        and ${side}_hash is not null`
    for await (const { hash, image, config_id } of streamRows(engine, sql, keysOf(lacking)))
      if (wanted.has(hash as string)) images.set(hash, { image: image as string, configId: config_id as string })
  }
  return images
}

function toldOf(hash: unknown, image: unknown): ToldState | null {
  return typeof hash === 'string' ? { hash, image: image as string } : null
}

function archivedOf(hash: unknown, images: Awaited<ReturnType<typeof imagesOf>>): ArchivedState | null {
  return typeof hash === 'string' ? { hash, ...(images.get(hash) as Omit<ArchivedState, 'hash'>) } : null
}
