import { formatDay } from '../transform/instant.js'
import { dateOfKey, tablePrefix } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { TIME_TO_LIVE } from './bind.js'
import type { BoundValue, QueryEngine, RunOptions } from './engines/engine.js'
import { deliveriesOf } from './engines/literal.js'
import { once } from './engines/once.js'
import { type Row, rowsOf } from './engines/rows.js'
import { streamRows } from './engines/stream-rows.js'
import { actorOfToday, rowsWithActor } from './todays-actor.js'

/** Changes of a table that are listed: those of a period [from, to), and of them what each filter leaves. */
export interface ChangeFilter {
  /** Microseconds since 1970; null: no such end. */
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly actor?: string | undefined
  readonly kind?: ActorKind | undefined
  readonly event?: string | undefined
  /** A top-level attribute that differs. */
  readonly attribute?: string | undefined
  /** A canonical key. */
  readonly itemKey?: string | undefined
  /** An hour of the week in UTC, from 0: Sunday, 00:00. */
  readonly weekHour?: number | undefined
}

/** How it is known who made a change: `last writer` is who wrote the version before, not who removed it. */
export const ACTOR_KINDS = ['recorded', 'service', 'last writer', 'not recorded'] as const
export type ActorKind = (typeof ACTOR_KINDS)[number]

/** Where a list goes on: after the change of this time and event. */
export interface ListPlace {
  readonly us: number
  readonly eventId: string
}

/** A change as it stands in a list, without its images. */
export interface ListedChange {
  readonly eventId: string
  readonly eventName: string
  readonly timeUs: number
  readonly precision: string
  readonly itemKey: string
  readonly changed: readonly string[] | null
  readonly actor: string | null
  readonly actorSource: string
  readonly lastWriter: string | null
  readonly kind: ActorKind
}

const KIND_SQL = `case
    when actor = '${TIME_TO_LIVE.recorded}' then 'service'
    when actor is not null then 'recorded'
    when event_name in ('REMOVE', 'BASELINE') and last_writer is not null then 'last writer'
    else 'not recorded'
  end`

const HOUR_US = 3_600_000_000
/** 1 January 1970 was a Thursday. */
const WEEK_HOUR_SQL = `mod(cast(floor(event_time_us / ${HOUR_US}e0) as bigint) + 96, 168)`

/**
 * Some changes of a table, newest first, each once as `changes-between` counts it, from a place on. Changes of one time
 * stand in the order of their event ids.
 */
export async function listChanges(
  engine: QueryEngine,
  table: TableConfiguration,
  filter: ChangeFilter,
  { after, limit }: { readonly after?: ListPlace | undefined; readonly limit: number },
  options: RunOptions = {},
): Promise<readonly ListedChange[]> {
  for (const sinceDay of await beginnings(engine, table, filter, after)) {
    const rows = await filteredRows(engine, table, filter, sinceDay)
    const listed = await listFiltered(engine, rows, { after, limit }, options)
    if (sinceDay === undefined || listed.length === limit) return listed
  }
  return []
}

/** The last day, the last days, and then all of them: where the first have enough, no other is read. */
const NARROW_DAYS = [1, 8] as const

/**
 * The days from which a list is looked for, undefined being the first of all. A day's changes are later than those of
 * the day before, so what is found from a day on is what comes first. Where an engine does not say what it reads, or
 * changes of an item are wanted, which are few, all days are looked at.
 */
async function beginnings(
  engine: QueryEngine,
  table: TableConfiguration,
  { toUs, itemKey }: ChangeFilter,
  after: ListPlace | undefined,
): Promise<readonly (string | undefined)[]> {
  if (itemKey !== undefined) return [undefined]
  const [end] = [toUs, after?.us].filter(us => us != null).sort((a, b) => a - b)
  const days = (await daysOfTable(engine, table)).filter(day => end === undefined || day <= dayOf(end))
  const narrow = NARROW_DAYS.filter(n => n < days.length / 2)
  return [...narrow.map(n => days.at(-n)), undefined]
}

/** The days that a table has objects of, in their order; none where its engine does not say. */
async function daysOfTable(engine: QueryEngine, table: TableConfiguration): Promise<readonly string[]> {
  if (engine.objects === undefined) return []
  const objects = engine.objects.bind(engine)
  return once(engine, `days of ${table.table}`, async () => {
    const days = (await objects(table.table)).map(({ key }) => dateOfKey(key))
    return [...new Set(days)].filter(day => day !== '').sort()
  })
}

async function listFiltered(
  engine: QueryEngine,
  rows: Rows,
  { after, limit }: { readonly after?: ListPlace | undefined; readonly limit: number },
  options: RunOptions,
): Promise<readonly ListedChange[]> {
  const isLater = after === undefined ? '' : 'where event_time_us < ? or (event_time_us = ? and event_id > ?)'
  const sql = `${rows.sql}
select event_id, event_name, event_time_us, time_precision, item_key, changed, actor, actor_source, last_writer, kind
from filtered
${isLater}
order by event_time_us desc, event_id
limit ${limit}`
  const place = after === undefined ? [] : [after.us, after.us, after.eventId]
  const answer = await engine.run(sql, [...rows.values, ...place], options)
  return [...rowsOf(answer)].map(listedChange)
}

function listedChange(row: Row): ListedChange {
  return {
    eventId: String(row.event_id),
    eventName: String(row.event_name),
    timeUs: Number(row.event_time_us),
    precision: String(row.time_precision),
    itemKey: String(row.item_key),
    changed: row.changed as readonly string[] | null,
    actor: row.actor as string | null,
    actorSource: String(row.actor_source),
    lastWriter: row.last_writer as string | null,
    kind: row.kind as ActorKind,
  }
}

/** An item, and the ids of some changes of it, in no order. */
export interface ItemChanges {
  readonly itemKey: string
  readonly eventIds: readonly string[]
}

/** The items that some changes are of, in the order of the bytes of their keys, however many there are. */
export async function* itemsChanged(
  engine: QueryEngine,
  table: TableConfiguration,
  filter: ChangeFilter,
): AsyncGenerator<ItemChanges> {
  const rows = await filteredRows(engine, table, filter)
  const sql = `${rows.sql}
select item_key, array_agg(event_id) as event_ids
from filtered
group by item_key
order by item_key`
  for await (const { item_key, event_ids } of streamRows(engine, sql, rows.values))
    yield { itemKey: String(item_key), eventIds: event_ids as readonly string[] }
}

/** How many changes have a value. */
export interface FacetValue {
  readonly value: string | null
  readonly changes: number
}

/**
 * What the listed changes can be narrowed by, most frequent first, days in their order; `changes` is how many there
 * are.
 */
export interface ChangeFacets {
  readonly changes: number
  readonly actor: readonly FacetValue[]
  readonly kind: readonly FacetValue[]
  readonly event: readonly FacetValue[]
  readonly attribute: readonly FacetValue[]
  readonly day: readonly FacetValue[]
  /** By `weekHour` as text. */
  readonly hour: readonly FacetValue[]
}

/** Values of a facet that are given. */
const MOST_VALUES = 200

/** Counts what some changes can be narrowed by. */
export async function countFacets(
  engine: QueryEngine,
  table: TableConfiguration,
  filter: ChangeFilter,
  options: RunOptions = {},
): Promise<ChangeFacets> {
  const rows = await filteredRows(engine, table, filter)
  const sql = `${rows.sql}
select facet, value, sum(n) as n
from (
  select
    case
      when grouping(actor) = 0 then 'actor'
      when grouping(kind) = 0 then 'kind'
      when grouping(event_name) = 0 then 'event'
      when grouping(day) = 0 then 'day'
      when grouping(hour) = 0 then 'hour'
      else 'all'
    end as facet,
    coalesce(actor, kind, event_name, day, hour) as value,
    count(*) as n
  from (
    select
      actor,
      kind,
      event_name,
      cast(cast(floor(event_time_us / 86400000000e0) as bigint) as varchar) as day,
      cast(${WEEK_HOUR_SQL} as varchar) as hour
    from filtered
  ) as narrow
  group by grouping sets ((), (actor), (kind), (event_name), (day), (hour))
  union all
  select 'attribute' as facet, attribute as value, count(*) as n
  from filtered
  cross join unnest(changed) as parts(attribute)
  group by attribute
) as counted
group by facet, value
order by facet, n desc, value`
  const found = [...rowsOf(await engine.run(sql, rows.values, options))]
  const of = (facet: string): readonly FacetValue[] =>
    found
      .filter(row => row.facet === facet)
      .slice(0, facet === 'day' || facet === 'hour' ? undefined : MOST_VALUES)
      .map(row => ({ value: row.value as string | null, changes: Number(row.n) }))
  return {
    changes: of('all')[0]?.changes ?? 0,
    actor: of('actor'),
    kind: of('kind'),
    event: of('event'),
    attribute: of('attribute'),
    day: of('day')
      .map(({ value, changes }) => ({ value: formatDay(Number(value) * 86_400_000), changes }))
      .toSorted((a, b) => (a.value < b.value ? -1 : 1)),
    hour: of('hour').toSorted((a, b) => Number(a.value) - Number(b.value)),
  }
}

/** The changes of a day, and the deletes among them. */
interface DayCount {
  readonly day: string
  readonly changes: number
  readonly deletes: number
}

/** Counts the changes of each day that has any, each change once, in the order of days. */
export async function countDays(engine: QueryEngine, table: TableConfiguration): Promise<readonly DayCount[]> {
  const rows = await filteredRows(engine, table, { fromUs: null, toUs: null })
  const sql = `${rows.sql}
select
  cast(floor(event_time_us / 86400000000e0) as bigint) as day,
  count(*) as changes,
  sum(case when event_name = 'REMOVE' then 1 else 0 end) as deletes
from filtered
group by 1
order by 1`
  return [...rowsOf(await engine.run(sql, rows.values))].map(({ day, changes, deletes }) => ({
    day: formatDay(Number(day) * 86_400_000),
    changes: Number(changes),
    deletes: Number(deletes),
  }))
}

/** When the last change of a table was made, in microseconds since 1970; null where it has none. */
export async function lastChangeUs(engine: QueryEngine, table: TableConfiguration): Promise<number | null> {
  const last = (await daysThere(engine, table)).at(-1)
  const sql = `select max(event_time_us) as us from ${deliveriesOf(table)} where event_name <> 'BASELINE'`
  const of = async (where: string, values: readonly BoundValue[]) =>
    [...rowsOf(await engine.run(`${sql}${where}`, values))][0]?.us ?? null
  // a folder of no day may have rows of any, which are in no answer or not in every one
  if (last === undefined) return microseconds(await of('', []))
  // the last day may have nothing but what a baseline saw
  return microseconds((await of(' and event_date = ?', [last])) ?? (await of(' and event_date <= ?', [last])))
}

function microseconds(us: Row[string] | null): number | null {
  return us === null ? null : Number(us)
}

/** The days of which objects are there: on AWS, too, where the bucket can be listed. */
async function daysThere(engine: QueryEngine, table: TableConfiguration): Promise<readonly string[]> {
  const { facts } = engine
  if (engine.objects !== undefined || facts === undefined) return daysOfTable(engine, table)
  const days = (await facts.entries(tablePrefix(table.table))).map(({ key }) => dateOfKey(key))
  return [...new Set(days)].filter(day => day !== '').sort()
}

/** How many deliveries of a table there are beside the first of each; counted once for an opened archive. */
export function countRepeats(engine: QueryEngine, table: TableConfiguration): Promise<number> {
  return once(engine, `repeats of ${table.table}`, async () => {
    const sql = `select count(*) - count(distinct event_id) as n from ${deliveriesOf(table)}`
    return Number([...rowsOf(await engine.run(sql))][0]?.n ?? 0)
  })
}

interface Rows {
  readonly sql: string
  readonly values: readonly BoundValue[]
}

/** `with ... filtered`: the rows that a filter leaves, of a day and later where one is given, and what it takes. */
async function filteredRows(
  engine: QueryEngine,
  table: TableConfiguration,
  filter: ChangeFilter,
  sinceDay?: string,
): Promise<Rows> {
  const actor = await actorOfToday(engine, table)
  const deliveries = deliveriesOf(table)
  const changes = actor === undefined ? deliveries : rowsWithActor(deliveries, actor)
  const since: readonly Condition[] = sinceDay === undefined ? [] : [['event_date >= ?', sinceDay]]
  const period = [...periodOf(filter), ...since]
  const narrow = conditionsOf(filter)
  // a table without repeats, which is most of them, is spared the window over all of its rows; over few it costs less
  // than to know
  const isRepeated = sinceDay !== undefined || (await countRepeats(engine, table)) > 0
  const once = isRepeated
    ? 'row_number() over (partition by event_id order by event_time_us, row_hash, arrived_at)'
    : 'cast(1 as bigint)'
  const sql = `with delivered as (
  select
    event_id, event_name, event_time_us, time_precision, item_key, changed, actor, actor_source, last_writer,
    ${once} as delivery
  from ${changes}
  where ${["event_name <> 'BASELINE'", ...period.map(([condition]) => condition)].join(' and ')}
),
known as (
  select *, ${KIND_SQL} as kind
  from delivered
  where delivery = 1
),
filtered as (
  select *
  from known
  where ${['1 = 1', ...narrow.map(([condition]) => condition)].join(' and ')}
)`
  return { sql, values: [...period, ...narrow].flatMap(([, ...values]) => values) }
}

type Condition = readonly [sql: string, ...values: BoundValue[]]

function periodOf({ fromUs, toUs }: ChangeFilter): readonly Condition[] {
  return [
    ...(fromUs === null
      ? []
      : ([
          ['event_date >= ?', dayOf(fromUs)],
          ['event_time_us >= ?', fromUs],
        ] as const)),
    ...(toUs === null
      ? []
      : ([
          ['event_date <= ?', dayOf(toUs)],
          ['event_time_us < ?', toUs],
        ] as const)),
  ]
}

function dayOf(us: number): string {
  return formatDay(Math.floor(us / 1000))
}

function conditionsOf({ actor, kind, event, attribute, itemKey, weekHour }: ChangeFilter): readonly Condition[] {
  return [
    ...(actor === undefined ? [] : ([['actor = ?', actor]] as const)),
    ...(kind === undefined ? [] : ([['kind = ?', kind]] as const)),
    ...(event === undefined ? [] : ([['event_name = ?', event]] as const)),
    ...(attribute === undefined ? [] : ([['array_position(changed, ?) > 0', attribute]] as const)),
    ...(itemKey === undefined ? [] : ([['item_key = ?', itemKey]] as const)),
    ...(weekHour === undefined ? [] : ([[`${WEEK_HOUR_SQL} = ?`, weekHour]] as const)),
  ]
}

/** The item of the only change of a table whose event id begins so; several where it is the beginning of several. */
export async function itemsOfEvent(
  engine: QueryEngine,
  table: TableConfiguration,
  prefix: string,
): Promise<readonly { readonly eventId: string; readonly itemKey: string }[]> {
  const sql = `select event_id, min(item_key) as item_key from ${deliveriesOf(table)}
where event_id >= ? and event_id < ?
group by event_id
order by event_id
limit 20`
  // ids are lower hex, of which `g` is the next sign
  const answer = await engine.run(sql, [prefix, `${prefix}g`])
  return [...rowsOf(answer)].map(row => ({ eventId: String(row.event_id), itemKey: String(row.item_key) }))
}
