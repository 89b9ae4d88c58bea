import { deliveriesOf } from '../queries/engines/literal.js'

/**
 * Compares what an archive says that a table's items were at a moment with what somebody else says: the table itself, or
 * an export of it. Both sides lie on disk and are joined there, so that memory does not grow with the table.
 */

import { bindValues, renderQuery, SAVED_QUERIES, type SavedQuery } from '../queries/catalog.js'
import { olderItems } from '../queries/each-item.js'
import { type BoundValue, type QueryEngine, streamAnswer } from '../queries/engines/engine.js'
import { quoted } from '../queries/engines/literal.js'
import { rowsOf } from '../queries/engines/rows.js'
import { checkParameters } from '../queries/parameters.js'
import { type Anchor, readArchiveFacts } from '../queries/verdict/archive-facts.js'
import { formatInstant } from '../transform/instant.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { StateSet, StateStore } from './state-store.js'

/** A moment at which both sides are compared, in microseconds since 1970. */
export interface Moment {
  /** The archive's changes up to it count, itself included. */
  readonly atUs: number
  /** A change in [openFromUs, openUntilUs) may or may not be in what was told; the states that it left or entered are right. */
  readonly openFromUs: number
  readonly openUntilUs: number
}

/**
 * The newest state that an archive has, for a table that was read from `fromUs` on. The transform lets in nothing that is more
 * than a day ahead of its arrival.
 */
export function newest(fromUs: number, nowUs: number): Moment {
  const atUs = nowUs + 2 * 24 * 60 * 60 * SECOND_US
  return { atUs, openFromUs: secondOf(fromUs), openUntilUs: atUs }
}

/** The moment of an export, which has every change before it. Times in a stream are cut to the second. */
export function momentOf(exportUs: number, isWindowEnd: boolean): Moment {
  const second = secondOf(exportUs)
  // the end of a window excludes itself, and mostly is a whole second: then nothing is open
  const openUntilUs = isWindowEnd && second === exportUs ? second : second + SECOND_US
  return { atUs: second - 1, openFromUs: second, openUntilUs }
}

const SECOND_US = 1_000_000

function secondOf(us: number): number {
  return Math.floor(us / SECOND_US) * SECOND_US
}

/** An item of which the two sides do not say the same. */
export interface Disagreement {
  readonly itemKey: string
  /** True where the archive cannot say what the item was. */
  readonly isUnknown: boolean
  /** What the archive says; null where it says that there is none. */
  readonly archived: { readonly hash: string; readonly image: string } | null
  readonly told: { readonly hash: string; readonly image: string } | null
  /** When the archive's last change of the item up to the moment was made, baselines aside, in microseconds since 1970; null without any. */
  readonly lastChangeUs: number | null
}

/** How many items were looked at, and those of which the sides do not say the same, by key. */
export interface Comparison {
  readonly items: number
  readonly disagreements: AsyncGenerator<Disagreement>
}

/**
 * Attaches a sealed store, for the comparisons below. From then on the engine keeps to a bounded memory and spills beside
 * the store, so it must have been opened with `files`. Resolves with how many items were told more than once.
 */
export async function attachStates(engine: QueryEngine, store: StateStore): Promise<number> {
  await engine.run(`attach ${quoted(store.path)} as reconciled`)
  await engine.run(`set temp_directory = ${quoted(`${store.folder}/spilled`)}`)
  await engine.run("set memory_limit = '512MB'")
  await engine.run('set preserve_insertion_order = false')
  const count =
    'select count(*) as items from (select item_key from reconciled.told group by item_key having count(*) > 1)'
  return firstNumber(engine, count)
}

/** Compares all items of both sides at one moment: what is not told is told to be absent. */
export async function compareTables(
  engine: QueryEngine,
  table: TableConfiguration,
  moment: Moment,
): Promise<Comparison> {
  await keepStates(engine, table, moment, 'kept_told')
  return compareKept(engine, table, moment, 'told', 'full outer join')
}

/** Compares only the items that are told. */
export async function compareTold(engine: QueryEngine, table: TableConfiguration, moment: Moment): Promise<Comparison> {
  await keepStates(engine, table, moment, 'kept_told')
  return compareKept(engine, table, moment, 'told', 'right join')
}

/** What each end of a window tells. */
export interface WindowComparison {
  readonly before: Comparison
  readonly after: Comparison
}

/**
 * Compares what an incremental export tells of the items that changed in a window: at its beginning (`told_before`, unless
 * the export has no old images) and at its end. An item that the archive says changed in it and the export leaves out is
 * told to be at the end what the archive says it was at the beginning.
 */
export async function compareWindow(
  engine: QueryEngine,
  table: TableConfiguration,
  [from, to]: readonly [Moment, Moment],
): Promise<WindowComparison> {
  await keepStates(engine, table, from, 'kept_told_before')
  await keepStates(engine, table, to, 'kept_told')
  await engine.run(untoldChanges(table), [from.openUntilUs, to.atUs])
  return {
    before: await compareKept(engine, table, from, 'told_before', 'right join'),
    after: await compareKept(engine, table, to, 'told', 'right join'),
  }
}

function untoldChanges(table: TableConfiguration): string {
  return `
    insert into reconciled.told
    select
      item_key,
      any_value(before.hash),
      any_value(case when new_hash = before.hash then new_image when old_hash = before.hash then old_image end)
    from ${deliveriesOf(table)} as changes
    left join reconciled.kept_told_before as before using (item_key)
    left join reconciled.kept_told as after using (item_key)
    where item_key not in (select item_key from reconciled.told)
      and before.hash is distinct from after.hash
      and coalesce(before.state, '') <> 'unknown'
      and coalesce(after.state, '') <> 'unknown'
    group by item_key
    having count(*) filter (where event_name <> 'BASELINE' and event_time_us between ? and ?) > 0`
}

async function compareKept(
  engine: QueryEngine,
  table: TableConfiguration,
  moment: Moment,
  set: StateSet,
  join: 'full outer join' | 'right join',
): Promise<Comparison> {
  const sides = `reconciled.kept_${set} as kept ${join} reconciled.${set} as told on kept.item_key = told.item_key`
  await engine.run(`create or replace table reconciled.disagreed_${set} as
    select
      coalesce(kept.item_key, told.item_key) as item_key,
      coalesce(kept.state = 'unknown', false) as is_unknown,
      kept.hash as kept_hash,
      told.hash as told_hash,
      told.image as told_image
    from ${sides}
    where kept.hash is distinct from told.hash or kept.state = 'unknown'`)
  const items = await firstNumber(engine, `select count(*) as items from ${sides}`)
  return { items, disagreements: readDisagreements(engine, table, moment, set) }
}

async function firstNumber(engine: QueryEngine, sql: string): Promise<number> {
  const [row] = [...rowsOf(await engine.run(sql))]
  return Number(row?.items ?? 0)
}

/** The archive's states at the moment by the saved queries, so that this is the answer of `as-of`, and for older items what their first change left; without any images. */
async function keepStates(
  engine: QueryEngine,
  table: TableConfiguration,
  { atUs }: Moment,
  name: 'kept_told' | 'kept_told_before',
): Promise<void> {
  const kept = `reconciled.${name}`
  const query = SAVED_QUERIES.get('table-as-of') as SavedQuery
  // no table has a hyphen in its name here
  const changes = '"changes-without-images"'
  await engine.run(`create or replace view ${changes} as ${withoutImages(table)}`)
  const statement = renderQuery(query, { changes })
  const values = bindValues(statement, checkParameters(query.parameters, { at: formatInstant(atUs, 6) }))
  await engine.run(`create or replace table ${kept} (item_key varchar, state varchar, hash varchar, since_us bigint)`)
  await engine.run(
    `insert into ${kept} select item_key, state, image_hash, event_time_us from (${statement.sql}) as states`,
    values,
  )
  const { baselines } = await readArchiveFacts(engine, table)
  for (const baseline of baselines.filter(({ us }) => us <= atUs)) await removeLacking(engine, kept, changes, baseline)
  await engine.run(`insert into ${kept} ${statesBefore(table, changes)}`, [atUs])
}

/** An item that a complete baseline since its last change lacks was not there any more, as in `itemsAt`. */
async function removeLacking(
  engine: QueryEngine,
  kept: string,
  changes: string,
  { source, us, untilUs }: Anchor,
): Promise<void> {
  const query = SAVED_QUERIES.get('anchors') as SavedQuery
  const statement = renderQuery(query, { changes })
  const parameters = { source, time: formatInstant(us, 6), until: formatInstant(untilUs, 6) }
  const sql = `
    delete from ${kept} as kept
    using (${statement.sql}) as found
    where found.missing = 'REMOVE'
      and found.item_key = kept.item_key
      and found.event_time_us = kept.since_us`
  await engine.run(sql, bindValues(statement, checkParameters(query.parameters, parameters)))
  // had the baseline seen it, its row would tell the state
  await engine.run(`delete from ${kept} where state = 'unknown' and since_us <= ?`, [us])
}

/** What the query asks of an image is whether there is one, and its hash knows. */
function withoutImages(table: TableConfiguration): string {
  return `select * replace (
      case when old_hash is not null then '' end as old_image,
      case when new_hash is not null then '' end as new_image
    ) from ${deliveriesOf(table)}`
}

/**
 * An item whose first change comes after the moment was already what that change left. `as-of` calls it unknown, as the
 * archive has no row of it by then; what the table told may be compared with it all the same.
 */
function statesBefore(table: TableConfiguration, changes: string): string {
  return `
    select
      item_key,
      case when entry_state in ('unknown', 'unlinked') then 'unknown' else 'present' end,
      case when entry_state not in ('unknown', 'unlinked') then entry_state end,
      null
    from (${olderItems(table, changes).sql}) as older
    where event_time_us > ?`
}

async function* readDisagreements(
  engine: QueryEngine,
  table: TableConfiguration,
  { atUs, openFromUs, openUntilUs }: Moment,
  set: StateSet,
): AsyncGenerator<Disagreement> {
  const sql = `
    with rows as (
      select
        item_key,
        any_value(case when new_hash = kept_hash then new_image when old_hash = kept_hash then old_image end) as kept_image,
        max(event_time_us) filter (where event_name <> 'BASELINE' and event_time_us <= ?) as last_change_us
      from ${deliveriesOf(table)}
      join reconciled.disagreed_${set} using (item_key)
      group by item_key
    )
    select disagreed.*, kept_image, last_change_us
    from reconciled.disagreed_${set} as disagreed
    left join rows using (item_key)
    where not exists (${explainedBy(table)})
    order by item_key`
  const open: readonly BoundValue[] = [atUs, openFromUs, openUntilUs]
  for await (const piece of streamAnswer(engine, sql, open)) {
    for (const row of rowsOf(piece)) {
      const { item_key, is_unknown, kept_hash, kept_image, told_hash, told_image, last_change_us } = row
      yield {
        itemKey: item_key as string,
        isUnknown: is_unknown === true,
        archived: stateOf(kept_hash, kept_image),
        told: stateOf(told_hash, told_image),
        lastChangeUs: last_change_us === null ? null : Number(last_change_us),
      }
    }
  }
}

/** A change in the open time that left or entered what was told. */
function explainedBy(table: TableConfiguration): string {
  return `
      select 1
      from ${deliveriesOf(table)} as open
      where open.item_key = disagreed.item_key
        and open.event_time_us >= ?
        and open.event_time_us < ?
        and open.event_name <> 'BASELINE'
        and not disagreed.is_unknown
        and (
          open.new_hash = disagreed.told_hash
          or open.old_hash = disagreed.told_hash
          or (disagreed.told_hash is null and open.event_name in ('INSERT', 'REMOVE'))
        )`
}

function stateOf(hash: unknown, image: unknown) {
  return typeof hash === 'string' ? { hash, image: image as string } : null
}
