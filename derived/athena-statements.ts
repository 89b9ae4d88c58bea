import { bindValues, renderQuery, savedQuery } from '../queries/catalog.js'
import type { EachItemStatement } from '../queries/each-item.js'
import type { BoundStatement } from '../queries/engines/derivation.js'
import { deliveriesOf, quoted, quotedName } from '../queries/engines/literal.js'
import { checkParameters } from '../queries/parameters.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import {
  answersFolderPrefix,
  BUCKET_COLUMN,
  bucketSql,
  checkpointFolderPrefix,
  FOLDER_COLUMN,
  folderPrefix,
  foldersOf,
  OF_DELIVERY,
  type RunFolder,
  type RunPlace,
} from '../transform/derived.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import type { NamedTable } from '../transform/table-names.js'
import { type AthenaTables, ROW_COLUMNS, textList } from './athena-tables.js'
import { daysSql } from './days-sql.js'
import { digestSql, ROW_TEXT } from './digest.js'
import { NEEDED_CHANGES } from './needed-changes.js'

/**
 * What Athena writes and compares. UNLOAD writes, because that is the one statement for which Athena documents that
 * ORDER BY holds within each file (Athena user guide, "UNLOAD": considerations); CTAS and INSERT drop it.
 */

/** Whole days of the archive, so that all deliveries of a change are in one run. */
export interface RunOfDays extends RunPlace {
  /** `YYYY-MM-DD`, in order. */
  readonly days: readonly string[]
}

/** Statements that write a run below `location`, an `s3://` address ending in "/", each into a folder of its own. */
export function unloadStatements(
  tables: AthenaTables,
  run: RunOfDays,
  table: string,
  location: string,
): readonly string[] {
  return foldersOf(run).map(folder => {
    const target = `${location}${folderPrefix(table, folder.folder)}`
    return unload(rowsOnce(tables, run, folder), target, `, partitioned_by = array['${BUCKET_COLUMN}']`)
  })
}

function unload(query: string, target: string, properties = ''): string {
  return `unload (\n${query}\n) to ${quoted(target)} with (format = 'PARQUET', compression = 'ZSTD'${properties})`
}

function rowsOnce({ archive }: AthenaTables, { digits, days }: RunOfDays, { from, to }: RunFolder): string {
  const bucket = bucketSql('item_key', digits)
  const ending = to === undefined ? '' : `\n    and ${bucket} < '${to}'`
  return `with delivered as (
  select
    ${ROW_COLUMNS},
    count(*) over (partition by event_id, row_hash) - 1 as repeats,
    row_number() over (partition by event_id, row_hash order by arrived_at) as delivery,
    ${bucket} as ${BUCKET_COLUMN}
  from ${archive}
  where ${daysSql(days)}
    and ${bucket} >= '${from}'${ending}
)
select ${ROW_COLUMNS}, repeats, ${BUCKET_COLUMN}
from delivered
where delivery = 1
order by ${BUCKET_COLUMN}, item_key, event_time_us, sequence, event_id, row_hash`
}

/** What `checkStatement` compares, whole numbers as text but for the digest. */
export const CHECKED = ['deliveries', 'rows_kept', 'digest', 'strange'] as const

/**
 * What the archive has of the days of a run, and what was written of it, one row each: `archive`, `copy`. `strange`
 * counts rows that are there twice, are in another bucket than their item's, are of other days, or lack what a row
 * must have. Beside them `began_us`, the time of the first change, `sample_key`, any key, and `days`, those that have
 * rows.
 */
export function checkStatement({ archive, copy }: AthenaTables, run: RunOfDays): string {
  const { digits, days } = run
  const lacks = 'event_id is null or row_hash is null or item_key is null or event_time_us is null'
  const isStrange = `${lacks} or ${bucketSql('item_key', digits)} <> ${BUCKET_COLUMN} or not coalesce(${daysSql(days)}, false)`
  return `with delivered as (
  select
    'archive' as side, event_id, row_hash, event_time_us, item_key, ${PARTITION_COLUMN}, 1 as deliveries,
    case when ${lacks} then 1 else 0 end as strange
  from ${archive}
  where ${daysSql(days)}
  union all
  select
    'copy', event_id, row_hash, event_time_us, item_key, ${PARTITION_COLUMN}, repeats + 1,
    case when ${isStrange} then 1 else 0 end
  from ${copy}
  where ${FOLDER_COLUMN} in (${textList(foldersOf(run).map(({ folder }) => folder))})
    and ${BUCKET_COLUMN} in (${textList(allBuckets(digits))})
),
once as (
  select
    side, event_id, row_hash,
    min(event_time_us) as began_us,
    min(item_key) as sample_key,
    min(${PARTITION_COLUMN}) as day,
    sum(deliveries) as deliveries,
    sum(strange) + case when side = 'copy' then count(*) - 1 else 0 end as strange
  from delivered
  group by side, event_id, row_hash
)
select
  side,
  cast(sum(deliveries) as varchar) as deliveries,
  cast(count(*) as varchar) as rows_kept,
  ${digestSql(ROW_TEXT, 'deliveries', 'trino')} as digest,
  cast(sum(strange) as varchar) as strange,
  cast(min(began_us) as varchar) as began_us,
  min(sample_key) as sample_key,
  array_join(array_sort(array_agg(distinct day)), ' ') as days
from once
group by side
order by side`
}

/** Changes whose rows have one `row_hash` and differ all the same: somebody changed one of them. At most 20. */
export function disagreeingStatement({ archive }: AthenaTables, days: readonly string[]): string {
  const compared = AUDIT_COLUMNS.filter(({ name }) => !OF_DELIVERY.includes(name)).map(({ name }) => quotedName(name))
  return `select event_id
from ${archive}
where ${daysSql(days)}
group by event_id, row_hash
having count(*) > 1
  and count(distinct xxhash64(to_utf8(json_format(cast(row(${compared.join(', ')}) as json))))) > 1
order by event_id
limit 20`
}

/** A checkpoint: of all rows up to the end of a day those that later states depend on. */
export interface CheckpointOfDay {
  readonly name: string
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** The one that it goes on from; without one, from the archive's beginning. */
  readonly previous: { readonly name: string; readonly day: string } | undefined
}

/** Writes a checkpoint, by the same rule as on a desk. */
export function checkpointStatement(
  tables: AthenaTables,
  planned: CheckpointOfDay,
  table: string,
  location: string,
): string {
  const names = ROW_COLUMNS.replace('"old_image"', 'cast(null as varchar) as "old_image"')
  const query = `with rows_of as (
  ${rowsUntil(tables, planned)}
),
needed as (
${renderQuery(NEEDED_CHANGES, { changes: 'rows_of' }).sql}
)
select ${names}
from rows_of
where (item_key, event_id) in (select item_key, event_id from needed)
order by item_key, event_time_us`
  return unload(query, `${location}${checkpointFolderPrefix(table, planned.name)}`)
}

/**
 * How many items there were at the end of a checkpoint's day, and a digest of their states, from what it was made
 * from.
 */
export function statesBefore(tables: AthenaTables, planned: CheckpointOfDay): BoundStatement {
  return statesOf(rowsUntil(tables, planned), planned.day)
}

/** The same from the checkpoint. */
export function statesAfter(tables: AthenaTables, { name, day }: CheckpointOfDay): BoundStatement {
  return statesOf(tables.ofCheckpoint(name), day)
}

function rowsUntil(tables: AthenaTables, { day, previous }: CheckpointOfDay): string {
  const later = tables.ofArchive({ after: previous?.day, upTo: day })
  return [...(previous === undefined ? [] : [tables.ofCheckpoint(previous.name)]), ...later].join('\n  union all\n  ')
}

/** By the very question that will be asked. */
function statesOf(rows: string, day: string): BoundStatement {
  const query = savedQuery('table-as-of')
  const statement = renderQuery(query, { changes: 'rows_of' })
  const sql = `with rows_of as (
  ${rows}
),
states as (
${statement.sql}
)
select cast(count(*) as varchar) as items, ${digestOf(query.columns.map(({ name }) => name))} as digest
from states`
  return { sql, values: bindValues(statement, checkParameters(query.parameters, { at: `${day}T23:59:59.999999Z` })) }
}

function digestOf(columns: readonly string[]): string {
  return digestSql(`json_format(cast(row(${columns.join(', ')}) as json))`, '1', 'trino')
}

/** An answer that is to be kept, of some days. */
export interface AnswerOfDays {
  readonly name: string
  readonly days: readonly string[]
  readonly statement: EachItemStatement
}

/** Writes an answer below `location`, an `s3://` address ending in "/". */
export function answerStatement(
  tables: AthenaTables,
  planned: AnswerOfDays,
  table: NamedTable,
  location: string,
): BoundStatement {
  const target = `${location}${answersFolderPrefix(table.table, planned.name)}`
  return { sql: unload(answerOfDays(tables, planned, table), target), values: planned.statement.values }
}

/** How many rows the statement has of the days, and a digest of them, from the archive. */
export function answerBefore(tables: AthenaTables, planned: AnswerOfDays, table: NamedTable): BoundStatement {
  const { columns, values } = planned.statement
  return { sql: countRows(columns, answerOfDays(tables, planned, table)), values }
}

/** The same from what was written. */
export function answerAfter(tables: AthenaTables, { name, statement: { columns } }: AnswerOfDays): BoundStatement {
  return { sql: countRows(columns, tables.ofAnswer(name, columns)), values: [] }
}

function answerOfDays({ archive }: AthenaTables, { days, statement }: AnswerOfDays, table: NamedTable): string {
  return `with ${deliveriesOf(table)} as (
  select ${ROW_COLUMNS}
  from ${archive}
  where ${daysSql(days)}
)
select ${statement.columns.join(', ')}
from (
${statement.sql}
) as answer
order by item_key`
}

function countRows(columns: readonly string[], rows: string): string {
  return `select cast(count(*) as varchar) as rows_kept, ${digestOf(columns)} as digest
from (
${rows}
) as answer`
}

function allBuckets(digits: number): readonly string[] {
  return Array.from({ length: 16 ** digits }, (_, i) => i.toString(16).padStart(digits, '0'))
}
