import { hash } from 'node:crypto'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { bindQuery } from './bind.js'
import { internalQuery, renderQuery, savedQuery } from './catalog.js'
import type { BoundValue, Narrowing, OthersRows, QueryEngine } from './engines/engine.js'
import { deliveriesOf, quoted } from './engines/literal.js'
import type { Row } from './engines/rows.js'
import { streamRows } from './engines/stream-rows.js'

/**
 * A statement whose rows each tell of one item, from all changes of that item and nothing else, in the order of
 * `item_key`.
 */
export interface EachItemStatement {
  /** Of its answer, `item_key` among them. */
  readonly columns: readonly string[]
  readonly sql: string
  readonly values: readonly BoundValue[]
  /** Which items it need be asked of. @default - all */
  readonly narrowing?: Narrowing | undefined
}

/**
 * The items whose changes do not hang together at first sight. Of others there is nothing to be found but repeats,
 * neither a break nor a state that was not left as often as it was entered.
 */
function unlinkedItems(table: TableConfiguration): Narrowing {
  return { items: chainsOf(table), where: UNLINKED }
}

/** The same, for statements that read no images: of these items all of them read the same rows. */
function comparedItems(table: TableConfiguration): Narrowing {
  return { ...unlinkedItems(table), shared: { where: `${UNLINKED} or repeats > 0`, columns: COMPARED } }
}

/** By what changes are put in order and compared. */
const COMPARED = [
  ...['item_key', 'event_id', 'source_event_id', 'event_name', 'event_time', 'event_time_us', 'event_date'],
  ...['time_precision', 'sequence', 'source', 'region', 'old_hash', 'new_hash', 'config_id', 'row_hash', 'arrived_at'],
]

/** What is told of each item at first sight: the rows of `internal/chains.sql`. */
export function chainsOf(table: TableConfiguration): string {
  return renderQuery(internalQuery('chains'), { changes: deliveriesOf(table) }).sql
}

const UNLINKED = 'linked = 0'

/** The same, where the others' rows of the answer are these columns of `internal/chains.sql`. */
function toldAtFirstSight(
  table: TableConfiguration,
  columns: readonly string[],
  where = UNLINKED,
): Narrowing & { readonly others: OthersRows } {
  // a row that is of no item is in the answer, so that whoever reads it notices
  const select = (items: string) =>
    `select ${columns.join(', ')} from ${items} where (${where}) is not true or item_key is null`
  return { ...comparedItems(table), where, others: { columns, select } }
}

const FOUND = ['item_key', 'finding', 'event_id', 'event_time_us', 'changes', 'since_us', 'until_us']

/** What does not fit together in the whole history of each item, as `continuity` tells it: what, and when. */
export function continuityOfAll(table: TableConfiguration): EachItemStatement {
  const { sql, values } = bindQuery(savedQuery('continuity'), table, {})
  const narrow = `select ${FOUND.join(', ')} from (\n${sql}\n) as found order by item_key, event_time_us, event_id`
  return { columns: FOUND, sql: narrow, values, narrowing: { ...comparedItems(table), others: REPEATS_OF_LINKED } }
}

const REPEATS_OF_LINKED: OthersRows = {
  columns: FOUND,
  select: (items, deliveries) => `
    select item_key, 'DUPLICATE' as finding, event_id, event_time_us, count(*) - 1 as changes,
      event_time_us as since_us, event_time_us as until_us
    from ${deliveries}
    where item_key in (select item_key from ${items} where linked = 1 and repeats > 0)
    group by item_key, event_id, event_time_us
    having count(*) > 1`,
}

const IMBALANCE = ['item_key', 'event_id', 'event_time_us', 'missing']

/** Each item that has states which were not left as often as they were entered, with the first that `balance` tells. */
export function balanceOfAll(table: TableConfiguration): EachItemStatement {
  const { sql, values } = bindQuery(savedQuery('balance'), table, {})
  const place = 'row_number() over (partition by item_key order by event_time_us, event_id)'
  const placed = `select found.*, ${place} as place from (\n${sql}\n) as found`
  const narrow = `select ${IMBALANCE.join(', ')} from (${placed}) as placed where place = 1 order by item_key`
  return { columns: IMBALANCE, sql: narrow, values, narrowing: comparedItems(table) }
}

/**
 * Items that were there before their first change, when the earliest of their changes was made, and what the first one
 * left: a hash, or what tells of none. What such an item was before nobody knows: `as-of` calls it unknown.
 * `afterUs`: items of which a change was made by then are of no interest, and may be left out.
 */
export function olderItems(table: TableConfiguration, afterUs?: number): EachItemStatement {
  const columns = ['item_key', 'event_time_us', 'entry_state']
  const { sql } = renderQuery(internalQuery('older-items'), { changes: deliveriesOf(table) })
  // of two rows of a change the earlier one counts, so the first row of an item tells when that was, if it is a change
  const where = afterUs === undefined ? UNLINKED : `${UNLINKED} and (with_baseline or first_us > ${afterUs})`
  return { columns, sql, values: [], narrowing: { ...comparedItems(table), where, others: OLDER_AS_SEEN } }
}

/** A baseline is the first that is known of such an item: it was there before, and is what that saw. */
const OLDER_AS_SEEN: OthersRows = {
  columns: ['item_key', 'event_time_us', 'entry_state'],
  select: items =>
    `select item_key, first_us as event_time_us, seen_first as entry_state from ${items} where linked = 1 and with_baseline`,
}

/**
 * The items that may lack something because a complete baseline up to a moment lacks them: not those that it saw. Of
 * others nothing is lacking where their changes hang together from an INSERT on that was made later. Of an item that
 * more than two baselines saw it is not known here which the third was, so it is asked of.
 */
export function itemsLackedBy(table: TableConfiguration, source: string, us: number): Narrowing {
  const isSeen = `coalesce(${quoted(source)} in (least_baseline, greatest_baseline), false)`
  const isLater = `(linked = 1 and not with_baseline and first_us > ${us})`
  return { items: chainsOf(table), where: `not ${isSeen} and not ${isLater}` }
}

/** Where an item's chain breaks, with the two images that ought to be one; and which changes were only sealed again. */
export function breaksOfAll(table: TableConfiguration): EachItemStatement {
  const query = internalQuery('breaks')
  const { sql } = renderQuery(query, { changes: deliveriesOf(table) })
  return {
    columns: query.columns.map(({ name }) => name),
    sql,
    values: [],
    narrowing: unlinkedItems(table),
  }
}

/** What is told of the span of an item's changes. */
export const SPAN = ['item_key', 'first_us', 'last_us', 'changes']

/** The first and the last change of each item, and how many there are, repeats and baselines left out. */
export function spansOfAll(table: TableConfiguration): EachItemStatement {
  const sql = `${spansSql(deliveriesOf(table), [])}\norder by item_key`
  return { columns: SPAN, sql, values: [], narrowing: toldAtFirstSight(table, SPAN) }
}

/** What an answer tells of the spans of items: its columns, and a SELECT of them from one of spans. */
export interface ToldSpans {
  readonly columns: readonly string[]
  readonly from: (spans: string) => string
}

/** Where spans of the rows from one time to before another need be asked: of items whose rows do not all lie there. */
export function spansWithin(
  table: TableConfiguration,
  fromUs: number | null,
  toUs: number | null,
  told: ToldSpans,
): Narrowing {
  const isOutside = [
    ...(fromUs === null ? [] : [`first_us < ${fromUs}`]),
    ...(toUs === null ? [] : [`last_us >= ${toUs}`]),
  ]
  const narrowing = toldAtFirstSight(table, SPAN, [UNLINKED, ...isOutside].join(' or '))
  const { others } = narrowing
  return { ...narrowing, others: { columns: told.columns, select: (...of) => told.from(others.select(...of)) } }
}

/** The same where its rows are counted, too. */
export const ROW_SPAN = ['item_key', 'first_us', 'last_us', 'changes', 'row_count', 'first_region', 'last_region']

/** The same, with how many rows an item has and what regions they are of. */
export function rowSpansOfAll(table: TableConfiguration): EachItemStatement {
  const more = ', count(*) as row_count, min(region) as first_region, max(region) as last_region'
  const sql = `${spansSql(deliveriesOf(table), [], more)}\norder by item_key`
  return { columns: ROW_SPAN, sql, values: [], narrowing: toldAtFirstSight(table, ROW_SPAN) }
}

/** The first and the last change of each item of the rows that some conditions leave, in no order. */
export function spansSql(changes: string, conditions: readonly string[], more = ''): string {
  return `select item_key, min(event_time_us) as first_us, max(event_time_us) as last_us,
  count(distinct case when event_name <> 'BASELINE' then event_id end) as changes${more}
from ${changes}
${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}\n`}group by item_key`
}

/**
 * The statements whose answers a compaction keeps, so that a question about the whole table need not read its whole
 * past.
 */
export function keptStatements(table: TableConfiguration): readonly EachItemStatement[] {
  return [continuityOfAll(table), olderItems(table), spansOfAll(table)]
}

/** The same on a desk, where more of them cost little: also what `verify continuity` asks. */
export function keptOnDesk(table: TableConfiguration): readonly EachItemStatement[] {
  return [...keptStatements(table), rowSpansOfAll(table), balanceOfAll(table)]
}

/** What a kept answer is known by, whatever the name of its table's rows is by then. */
export function statementHash(sql: string, values: readonly BoundValue[], deliveries: string): string {
  return hash('sha256', JSON.stringify([sql.replaceAll(deliveries, '{changes}'), values]))
}

/**
 * The rows of such a statement, those of one item in no order of their own: from what a compaction kept, where the
 * engine can.
 */
export function rowsOfEachItem(
  engine: QueryEngine,
  { table, identifier }: TableConfiguration,
  { columns, sql, values, narrowing }: EachItemStatement,
): AsyncGenerator<Row> {
  const scope = { table, identifier, eachItem: columns, narrowing }
  return streamRows(engine, sql, values, { scope })
}
