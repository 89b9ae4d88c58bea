import { bindValues, renderQuery, savedQuery } from '../queries/catalog.js'
import type { BoundValue } from '../queries/engines/engine.js'
import { quoted, quotedName } from '../queries/engines/literal.js'
import { checkParameters } from '../queries/parameters.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import {
  BUCKET_COLUMN,
  bucketSql,
  checkpointFolderPrefix,
  FOLDER_COLUMN,
  folderPrefix,
  OF_DELIVERY,
} from '../transform/derived.js'
import { formatDay } from '../transform/instant.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import {
  answersIdentifier,
  checkpointsIdentifier,
  copyIdentifier,
  deliveriesIdentifier,
  type NamedTable,
} from '../transform/table-names.js'
import { NEEDED_CHANGES } from './needed-changes.js'

/**
 * The clustered copy in the SQL of Athena, by the same rule as on a desk: of rows with one `event_id` and one `row_hash` the
 * first to arrive is kept, `repeats` counts the others, and the bucket comes from the item's key. UNLOAD writes it, because
 * that is the one statement for which Athena documents that ORDER BY holds within each file (Athena user guide, "UNLOAD":
 * considerations); CTAS and INSERT drop it.
 */
export interface CopyTables {
  /** The archive's table and the copy's, as they stand in SQL. */
  readonly archive: string
  readonly copy: string
  readonly checkpoints: string
  readonly answers: string
}

const COLUMNS = AUDIT_COLUMNS.map(({ name }) => quotedName(name))

/** The columns that every table has. */
export const NAMES = [...COLUMNS, PARTITION_COLUMN].join(', ')

/** The tables of a copy as statements name them. */
export function copyTables(database: string, table: NamedTable): CopyTables {
  const inDatabase = (name: string) => `${quotedName(database)}.${quotedName(name)}`
  return {
    archive: inDatabase(deliveriesIdentifier(table)),
    copy: inDatabase(copyIdentifier(table)),
    checkpoints: inDatabase(checkpointsIdentifier(table)),
    answers: inDatabase(answersIdentifier(table)),
  }
}

/** Whole days of the archive, so that all deliveries of a change are in one run. */
export interface RunOfDays {
  readonly name: string
  /** How many hex digits name a bucket. */
  readonly digits: number
  /** `YYYY-MM-DD`, in order. */
  readonly days: readonly string[]
}

/** Athena writes at most so many partitions in one statement (Athena user guide, "UNLOAD": considerations). */
const MOST_PARTITIONS = 100

/** The folders of a run, one for each statement that writes it, with the buckets from `from` up to before `to`. */
export function foldersOf({ name, digits }: Pick<RunOfDays, 'name' | 'digits'>): readonly Folder[] {
  const buckets = 16 ** digits
  const parts = Math.ceil(buckets / MOST_PARTITIONS)
  const bucketAt = (i: number) => i.toString(16).padStart(digits, '0')
  const starts = Array.from({ length: parts }, (_, part) => Math.floor((part * buckets) / parts))
  return starts.map((start, part) => {
    const end = starts[part + 1]
    return { folder: `${name}-${part}`, from: bucketAt(start), to: end === undefined ? undefined : bucketAt(end) }
  })
}

/** The folder of a run that has a bucket. */
export function folderOf(run: Pick<RunOfDays, 'name' | 'digits'>, bucket: string): string {
  return (foldersOf(run).findLast(({ from }) => from <= bucket) as Folder).folder
}

export interface Folder {
  readonly folder: string
  readonly from: string
  readonly to: string | undefined
}

/** Statements that write a run below `location`, an `s3://` address ending in "/", each into a folder of its own. */
export function unloadStatements(
  tables: CopyTables,
  run: RunOfDays,
  table: string,
  location: string,
): readonly string[] {
  return foldersOf(run).map(folder => {
    const target = `${location}${folderPrefix(table, folder.folder)}`
    return unload(rowsOnce(tables, run, folder), target, `, partitioned_by = array['${BUCKET_COLUMN}']`)
  })
}

/** The statement that writes the rows of a query into a folder. */
export function unload(query: string, target: string, properties = ''): string {
  return `unload (\n${query}\n) to ${quoted(target)} with (format = 'PARQUET', compression = 'ZSTD'${properties})`
}

function rowsOnce({ archive }: CopyTables, { digits, days }: RunOfDays, { from, to }: Folder): string {
  const bucket = bucketSql('item_key', digits)
  const ending = to === undefined ? '' : `\n    and ${bucket} < '${to}'`
  return `with delivered as (
  select
    ${NAMES},
    count(*) over (partition by event_id, row_hash) - 1 as repeats,
    row_number() over (partition by event_id, row_hash order by arrived_at) as delivery,
    ${bucket} as ${BUCKET_COLUMN}
  from ${archive}
  where ${daysSql(days)}
    and ${bucket} >= '${from}'${ending}
)
select ${NAMES}, repeats, ${BUCKET_COLUMN}
from delivered
where delivery = 1
order by ${BUCKET_COLUMN}, item_key, event_time_us, sequence, event_id, row_hash`
}

/** What `checkStatement` compares, whole numbers as text but for the digest. */
export const CHECKED = ['deliveries', 'rows_kept', 'digest', 'strange'] as const

/**
 * What the archive has of the days of a run, and what was written of it, one row each: `archive`, `copy`. `digest` is over the
 * deliveries whatever their order, as docs/compaction.md has it. `strange` counts rows that are there twice, are in
 * another bucket than their item's, are of other days, or lack what a row must have. Beside them `began_us`, the time of the first
 * change, `sample_key`, any key, and `days`, those that have rows.
 */
export function checkStatement({ archive, copy }: CopyTables, run: RunOfDays): string {
  const { digits, days } = run
  const lacks = 'event_id is null or row_hash is null or item_key is null or event_time_us is null'
  return `with delivered as (
  select
    'archive' as side, event_id, row_hash, event_time_us, item_key, ${PARTITION_COLUMN}, 1 as deliveries,
    case when ${lacks} then 1 else 0 end as strange
  from ${archive}
  where ${daysSql(days)}
  union all
  select
    'copy', event_id, row_hash, event_time_us, item_key, ${PARTITION_COLUMN}, repeats + 1,
    case when ${lacks} or ${bucketSql('item_key', digits)} <> ${BUCKET_COLUMN} or not coalesce(${daysSql(days)}, false) then 1 else 0 end
  from ${copy}
  where ${FOLDER_COLUMN} in (${listOf(foldersOf(run).map(({ folder }) => folder))})
    and ${BUCKET_COLUMN} in (${listOf(allBuckets(digits))})
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
  ${digestSql("event_id || ' ' || row_hash", 'deliveries')} as digest,
  cast(sum(strange) as varchar) as strange,
  cast(min(began_us) as varchar) as began_us,
  min(sample_key) as sample_key,
  array_join(array_sort(array_agg(distinct day)), ' ') as days
from once
group by side
order by side`
}

/** What rows come to whatever their order: the sum of the two halves of the MD5 of a text of each, so many times. */
export function digestSql(text: string, times: string): string {
  const half = (from: number) =>
    `coalesce(cast(sum(cast(from_big_endian_64(substr(md5(to_utf8(${text})), ${from}, 8)) as decimal(38, 0)) * ${times}) as varchar), '0')`
  return `${half(1)} || '.' || ${half(9)}`
}

/** Changes whose rows have one `row_hash` and differ all the same: somebody changed one of them. At most 20. */
export function disagreeingStatement({ archive }: CopyTables, days: readonly string[]): string {
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

/**
 * All rows of one item: those of the runs' days from the item's bucket, each as often as it was delivered, and those of all
 * other days from the archive. There is at least one run; `bucketOf` says which bucket of so many digits is the item's.
 */
export function itemRelation(
  { archive, copy }: CopyTables,
  runs: readonly RunOfDays[],
  bucketOf: (digits: number) => string,
): string {
  const places = runs.map(run => {
    const bucket = bucketOf(run.digits)
    return { folder: folderOf(run, bucket), bucket, days: run.days }
  })
  // said twice, because injected partitions want to be listed, and a run of few buckets has no folder of one among many
  const from = ({ folder, bucket, days }: (typeof places)[number]) =>
    `${FOLDER_COLUMN} = '${folder}' and ${BUCKET_COLUMN} = '${bucket}' and ${daysSql(days)}`
  return `select ${NAMES}
  from ${copy}
  cross join unnest(sequence(0, repeats)) as deliveries(delivery)
  where ${FOLDER_COLUMN} in (${listOf(places.map(({ folder }) => folder))})
    and ${BUCKET_COLUMN} in (${listOf([...new Set(places.map(({ bucket }) => bucket))])})
    and (${places.map(from).join('\n      or ')})
  union all
  select ${NAMES}
  from ${archive}
  where not ${daysSql(runs.flatMap(run => run.days).sort())}`
}

/** A checkpoint: of all rows up to the end of a day those that later states depend on. */
export interface PlannedCheckpoint {
  readonly name: string
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** The one that it goes on from; without one, from the archive's beginning. */
  readonly previous: { readonly name: string; readonly day: string } | undefined
}

/** Writes a checkpoint, by the same rule as on a desk. */
export function checkpointStatement(
  tables: CopyTables,
  planned: PlannedCheckpoint,
  table: string,
  location: string,
): string {
  const names = NAMES.replace('"old_image"', 'cast(null as varchar) as "old_image"')
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

/** How many items there were at the end of a checkpoint's day, and a digest of their states, from the rows that it was made from. */
export function statesBefore(tables: CopyTables, planned: PlannedCheckpoint): BoundStatement {
  return statesOf(rowsUntil(tables, planned), planned.day)
}

/** The same from the checkpoint. */
export function statesAfter(tables: CopyTables, { name, day }: PlannedCheckpoint): BoundStatement {
  return statesOf(rowsOfCheckpoint(tables, name), day)
}

export interface BoundStatement {
  readonly sql: string
  readonly values: readonly BoundValue[]
}

/** By the very question that will be asked. */
function statesOf(rows: string, day: string): BoundStatement {
  const query = savedQuery('table-as-of')
  const statement = renderQuery(query, { changes: 'rows_of' })
  const columns = query.columns.map(({ name }) => name).join(', ')
  const at = `${day}T23:59:59.999999Z`
  return {
    sql: `with rows_of as (
  ${rows}
),
states as (
${statement.sql}
)
select cast(count(*) as varchar) as items, ${digestSql(`json_format(cast(row(${columns}) as json))`, '1')} as digest
from states`,
    values: bindValues(statement, checkParameters(query.parameters, { at })),
  }
}

/** What leads to the states of items at moments after a checkpoint's day and up to the day `last`. */
export function statesRelation(
  tables: CopyTables,
  { name, day }: { readonly name: string; readonly day: string },
  last: string,
): string {
  return `${rowsOfCheckpoint(tables, name)}
  union all
  ${rowsOfDays(tables, day, last)}`
}

function rowsUntil(tables: CopyTables, { day, previous }: PlannedCheckpoint): string {
  if (previous === undefined) return rowsOfDays(tables, undefined, day)
  return statesRelation(tables, previous, day)
}

function rowsOfCheckpoint({ checkpoints }: CopyTables, name: string): string {
  return `select ${NAMES}
  from ${checkpoints}
  where ${FOLDER_COLUMN} = '${name}'`
}

function rowsOfDays({ archive }: CopyTables, after: string | undefined, last: string): string {
  const later = after === undefined ? '' : `\n    and ${PARTITION_COLUMN} > '${after}'`
  return `select ${NAMES}
  from ${archive}
  where ${PARTITION_COLUMN} <= '${last}'${later}`
}

/** True for days of a list, as few ranges as there are. */
export function daysSql(days: readonly string[]): string {
  const ranges: [first: string, last: string][] = []
  for (const day of days) {
    const range = ranges.at(-1)
    if (range !== undefined && dayAfter(range[1]) === day) range[1] = day
    else ranges.push([day, day])
  }
  const conditions = ranges.map(([first, last]) => `${PARTITION_COLUMN} between '${first}' and '${last}'`)
  return conditions.length === 0 ? '(false)' : `(${conditions.join(' or ')})`
}

function dayAfter(day: string): string {
  return formatDay(Date.parse(day) + 86_400_000)
}

function listOf(texts: readonly string[]): string {
  return texts.map(text => `'${text}'`).join(', ')
}

function allBuckets(digits: number): readonly string[] {
  return Array.from({ length: 16 ** digits }, (_, i) => i.toString(16).padStart(digits, '0'))
}
