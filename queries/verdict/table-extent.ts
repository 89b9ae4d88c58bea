import { formatDay } from '../../transform/instant.js'
import { dateOf } from '../../transform/partition.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { rowsOfEachItem, SPAN, spansOfAll, spansSql, spansWithin, type ToldSpans } from '../each-item.js'
import { hasCopy, type QueryEngine } from '../engines/engine.js'
import { deliveriesOf, quoted } from '../engines/literal.js'
import { type Row, rowsOf } from '../engines/rows.js'
import { streamRows } from '../engines/stream-rows.js'
import { regionsOf } from '../regions.js'

/** From when to when the archive has changes of a table, in microseconds since 1970; null where it has none. */
export interface Extent {
  readonly beganUs: number | null
  readonly newestUs: number | null
  /** `YYYY-MM-DD`: days between the first and the last that have no row. */
  readonly emptyDays: readonly string[]
  /** The regions that the sources of its rows name. */
  readonly regions: readonly string[]
}

/** Reads it from the times and sources of all rows, the narrowest columns there are. */
export async function readExtent(engine: QueryEngine, table: TableConfiguration): Promise<Extent> {
  const sql = `
    select event_date, min(event_time_us) as first_us, max(event_time_us) as last_us,
      array_agg(distinct source) as sources
    from ${deliveriesOf(table)}
    group by event_date
    order by event_date`
  const days = [...rowsOf(await engine.run(sql))]
  const dates = days.map(day => day.event_date as string)
  return {
    beganUs: days[0] === undefined ? null : Number(days[0].first_us),
    newestUs: days.length === 0 ? null : Number(days.at(-1)?.last_us),
    emptyDays: daysBetween(dates).filter(day => !dates.includes(day)),
    regions: regionsOf(days.flatMap(({ sources }) => sources as readonly string[])),
  }
}

const DAY_MS = 86_400_000

/** No table is older than DynamoDB: what claims to be makes no list of a million days. */
const MOST_DAYS = 20_000

function daysBetween(dates: readonly string[]): readonly string[] {
  const [first, last] = [Date.parse(dates[0] ?? ''), Date.parse(dates.at(-1) ?? '')]
  const days = Math.round((last - first) / DAY_MS)
  return days > 0 && days <= MOST_DAYS ? Array.from({ length: days }, (_, i) => formatDay(first + i * DAY_MS)) : []
}

/** An item's first and last change within bounds, and how many there are, repeats and baselines left out. */
export interface ItemSpan {
  readonly itemKey: string
  readonly firstUs: number
  readonly lastUs: number
  readonly changes: number
  /** 1; how many items there are where they are told together. */
  readonly items: number
}

/** The key of items that are told together, which no item of a table has. */
const TOGETHER = ''

/**
 * Every item that has rows from `fromUs` to before `toUs`, in the order of their keys; of all time, from what a
 * compaction kept. Of a part of time all but those `apart` may be told together, before the others, in a piece or two.
 */
export async function* spansOfItems(
  engine: QueryEngine,
  table: TableConfiguration,
  { fromUs, toUs }: { readonly fromUs: number | null; readonly toUs: number | null },
  apart?: readonly string[],
): AsyncGenerator<ItemSpan> {
  const rows =
    fromUs === null && toUs === null
      ? rowsOfEachItem(engine, table, spansOfAll(table))
      : spansBetween(engine, table, fromUs, toUs, apart)
  for await (const { item_key, first_us, last_us, changes, items } of rows)
    yield {
      itemKey: item_key as string,
      firstUs: Number(first_us),
      lastUs: Number(last_us),
      changes: Number(changes),
      items: Number(items ?? 1),
    }
}

async function* spansBetween(
  engine: QueryEngine,
  table: TableConfiguration,
  fromUs: number | null,
  toUs: number | null,
  apart: readonly string[] | undefined,
): AsyncGenerator<Row> {
  const conditions = [
    ...(fromUs === null ? [] : [['event_date >= ?', dateOf(fromUs)] as const, ['event_time_us >= ?', fromUs] as const]),
    ...(toUs === null ? [] : [['event_date <= ?', dateOf(toUs)] as const, ['event_time_us < ?', toUs] as const]),
  ]
  const spans = spansSql(
    deliveriesOf(table),
    conditions.map(([text]) => text),
  )
  const values = conditions.map(([, value]) => value)
  const told: ToldSpans = apart === undefined ? { columns: SPAN, from: spans => spans } : togetherBut(apart)
  // of a copy all columns are put together to read these few, and what is told of its items is no table there
  const isCopied = await hasCopy(engine, table.table)
  const scope = isCopied
    ? undefined
    : { table: table.table, identifier: table.identifier, narrowing: spansWithin(table, fromUs, toUs, told) }
  yield* streamRows(engine, `${told.from(spans)}\norder by item_key`, values, { scope })
}

/** False of what no transform makes a key of, which the statement below would take for another. */
export function canBeApart(itemKey: string): boolean {
  return itemKey !== TOGETHER && !itemKey.includes(BETWEEN_KEYS)
}

/** No JSON in one line has it in it. As a list of literals the keys took longer than all of the rest. */
const BETWEEN_KEYS = '\n'

function togetherBut(apart: readonly string[]): ToldSpans {
  const keys = `unnest(split(${quoted(apart.join(BETWEEN_KEYS))}, chr(10))) as apart(item_key)`
  const isApart = `item_key in (select item_key from ${keys})`
  return {
    columns: [...SPAN, 'items'],
    from: spans => `
select case when ${isApart} then item_key else '${TOGETHER}' end as item_key, min(first_us) as first_us,
  max(last_us) as last_us, cast(sum(changes) as bigint) as changes, count(*) as items
from (${spans}) as spans
group by 1`,
  }
}
