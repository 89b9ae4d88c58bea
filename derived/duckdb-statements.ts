import { sqlPart } from '../queries/catalog.js'
import { COMPRESSION } from '../queries/engines/duckdb-instance.js'
import { fileList } from '../queries/engines/file-list.js'
import { quoted } from '../queries/engines/literal.js'
import { emptyRows, rowsOfObjects } from '../queries/engines/relations.js'
import { namedAsInDuckDb } from '../queries/engines/trino-macros.js'
import { AUDIT_COLUMNS, type Column } from '../transform/audit-row.js'
import { BUCKET_COLUMN, OF_DELIVERY } from '../transform/derived.js'
import { daysSql } from './days-sql.js'
import { digestSql, ROW_TEXT } from './digest.js'

/**
 * Rows of a row group. DuckDB's least, because a question about one item reads whole row groups; smaller ones would
 * cost more in footers than they save.
 */
const ROW_GROUP = 2048

/** Items may have 400 KB, and two images a row: a row group of those is written when it has come to this. */
export const ROW_GROUP_BYTES = '32MB'

/**
 * What a row takes in memory, by the size of its record as DynamoDB counts it: images as text are longer by a half, and
 * there are hashes, ids and times. A baseline's document has no such size.
 */
const [UNSAID_SIZE, TEXT_OF_SIZE, ROW_BYTES] = [1000, 1.5, 600]

/** What `bucketSql` says of `item_key`, by DuckDB's own function: as bytes in between it takes twice as long. */
export function bucketInDuckDb(digits: number): string {
  return `substr(system.main.sha256(item_key), 1, ${digits})`
}

/** What the rows of some objects come to, bucket by bucket: read from the archive itself, in a pass of its own. */
export function deliveriesSql(objects: readonly string[], digits: number): string {
  return `
    select ${bucketInDuckDb(digits)} as ${BUCKET_COLUMN}, count(*)::varchar as deliveries, ${digestSql(ROW_TEXT, '1', 'duckdb')} as digest,
      sum(coalesce(size_bytes, ${UNSAID_SIZE}) * ${TEXT_OF_SIZE} + ${ROW_BYTES})::bigint::varchar as bytes,
      string_agg(distinct event_date, ' ') as days,
      min(event_time_us)::varchar as began_us, min(item_key) as sample_key,
      count_if(event_id is null or row_hash is null or item_key is null or event_time_us is null)::varchar as broken
    from (${rowsOfObjects(objects)})
    group by 1
    order by 1`
}

/** Buckets that are written together, and the number of their lot. */
export function lotsSql(lots: readonly (readonly string[])[]): string {
  const rows = lots.flatMap((buckets, lot) => buckets.map(bucket => `(${quoted(bucket)}, ${lot})`))
  return `create or replace temp table lots as from (values ${rows.join(', ')}) as pairs(${BUCKET_COLUMN}, ${LOT_COLUMN})`
}

/** The column of `lots`, and what the folder of a lot's staged rows begins with. */
export const LOT_COLUMN = 'lot'

/** Writes rows lot by lot, so that each lot reads its own and no other. */
export function stageSql(rows: string, folder: string): string {
  return `
    copy (
      select bucketed.*, lots.${LOT_COLUMN}
      from (${rows}) as bucketed
      join lots using (${BUCKET_COLUMN})
    ) to ${quoted(folder)} (format parquet, compression snappy, partition_by (${LOT_COLUMN}), row_group_size 20480, row_group_size_bytes '${ROW_GROUP_BYTES}')`
}

/** The rows of some objects, and the bucket of each. */
export function rowsInBuckets(objects: readonly string[], columns: readonly Column[], digits: number): string {
  return `
    select *, ${bucketInDuckDb(digits)} as ${BUCKET_COLUMN}
    from (${emptyRows(columns)} union all by name ${rowsOfObjects(objects)})`
}

/** The same of rows that were staged. */
export function stagedRows(files: readonly string[], columns: readonly Column[]): string {
  const empty = `select *, null::varchar as ${BUCKET_COLUMN} from (${emptyRows(columns)})`
  if (files.length === 0) return empty
  const rows = `read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false)`
  return `${empty} union all by name select * from ${rows}`
}

/** By item and time. */
const RUN_ORDER = 'item_key, event_time_us, sequence, event_id, row_hash'

/**
 * Brings the rows of some buckets together, sorted, because a scan for one bucket then passes over what lies elsewhere,
 * and gives the bucket's rows in their order.
 */
export function lotRowsSql(rows: string, buckets: readonly string[], slice: number | undefined): string {
  const part = slice === undefined ? '' : `semi join (from slices where slice = ${slice}) using (event_id, row_hash)`
  return `
    create or replace temp table lot_rows as
    from (${rows}) ${part}
    where ${BUCKET_COLUMN} in (${buckets.map(quoted).join(', ')})
    order by ${BUCKET_COLUMN}, ${RUN_ORDER}`
}

/** In which part each row of a bucket is that is too large to be sorted at once; repeats of a row are in one. */
export function slicesSql(rows: string, bucket: string, slices: number): string {
  return `
    create or replace temp table slices as
    select event_id, row_hash, ntile(${slices}) over (order by ${RUN_ORDER}) as slice
    from (select distinct ${RUN_ORDER} from (${rows}) where ${BUCKET_COLUMN} = ${quoted(bucket)})`
}

/** Writes a bucket of its parts, one after the other. */
export function joinSlicesSql(parts: readonly string[], path: string): string {
  return `
    copy (from read_parquet(${fileList(parts)}, hive_partitioning = false))
    to ${quoted(path)} (${RUN_FORMAT})`
}

/** Rows that are there more than once: which is kept, the first to arrive, and how many others it stands for. */
export const REPEATED_SQL = `
    create or replace temp table repeated as
    select event_id, row_hash, count(*) - 1 as repeats, arg_min(rowid, (arrived_at, size_bytes, rowid)) as kept
    from lot_rows
    group by event_id, row_hash
    having count(*) > 1`

/** Rows of one `row_hash` that differ all the same: somebody changed one of them. */
export function disagreeingSql(): string {
  const columns = AUDIT_COLUMNS.filter(({ name }) => !OF_DELIVERY.includes(name)).map(({ name }) => `"${name}"`)
  return `
    select event_id
    from lot_rows
    semi join repeated using (event_id, row_hash)
    group by event_id, row_hash
    having count(distinct hash(${columns.join(', ')})) > 1
    order by event_id
    limit 20`
}

/**
 * Writes a bucket of a run: each row once, sorted by item and time. By one thread, which reads rows in their order; a
 * join keeps none.
 */
export function bucketRowsSql(bucket: string, anyRepeated: boolean, path: string): string {
  const once = anyRepeated
    ? `select lot_rows.*, coalesce(repeated.repeats, 0)::bigint as repeats
       from lot_rows
       left join repeated using (event_id, row_hash)
       where ${BUCKET_COLUMN} = ${quoted(bucket)}
         and (repeated.event_id is null or repeated.kept = lot_rows.rowid)
       order by ${RUN_ORDER}`
    : `select *, 0::bigint as repeats from lot_rows where ${BUCKET_COLUMN} = ${quoted(bucket)}`
  return `
    copy (
      select * exclude (${BUCKET_COLUMN})
      from (${once})
    ) to ${quoted(path)} (${RUN_FORMAT})`
}

/** How a file of a run is written. */
const RUN_FORMAT = `format parquet, parquet_version v2, ${COMPRESSION}, row_group_size ${ROW_GROUP}, row_group_size_bytes '${ROW_GROUP_BYTES}'`

/** The bucket that a file is of, by the folder it lies in. */
const BUCKET_OF_FILE = String.raw`regexp_extract(filename, '${BUCKET_COLUMN}=([0-9a-f]+)[/\\][^/\\]*$', 1)`

/**
 * What buckets hold of some days, read back from their files. `strange` counts rows of another bucket, there twice, or
 * behind one of an item that comes later; rows that DuckDB did not give in the order of their file, too.
 */
export function writtenSql(paths: readonly string[], digits: number, days: readonly string[]): string {
  return `
    select ${BUCKET_OF_FILE} as ${BUCKET_COLUMN}, count(*)::varchar as rows_kept, sum(repeats + 1)::varchar as deliveries,
      ${digestSql(ROW_TEXT, '(repeats + 1)', 'duckdb')} as digest,
      (count(*) - count(distinct event_id || row_hash)
        + count_if(${bucketInDuckDb(digits)} <> ${BUCKET_OF_FILE})
        + count_if(file_row_number > 0 and (item_key < previous or file_row_number <> previous_number + 1)))::varchar
        as strange
    from (
      -- a window over rows as they come, which need not be sorted for it
      select *, lag(item_key) over () as previous, lag(file_row_number) over () as previous_number
      from read_parquet(
        ${fileList(paths)}, union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true
      )
    )
    where ${daysSql(days)}
    group by filename`
}

/** How many rows of some files have an image that is not what its hash says. A checkpoint keeps no images of before. */
export function alteredImagesSql(paths: readonly string[], sides: readonly ('old' | 'new')[]): string {
  const isAltered = sides.map(side => `system.main.sha256(${side}_image) is distinct from ${side}_hash`)
  return `
    select filename, count(*)::varchar as altered
    from read_parquet(${fileList(paths)}, union_by_name = true, hive_partitioning = false, filename = true)
    where ${isAltered.join(' or ')}
    group by filename
    order by filename`
}

/**
 * Changes whose rows contradict one another, file by file; all of them are kept. Images are looked at only where there
 * are several rows of one change, which then differ.
 */
export function conflictsSql(paths: readonly string[]): string {
  const rows = `read_parquet(${fileList(paths)}, union_by_name = true, hive_partitioning = false, filename = true)`
  return namedAsInDuckDb(`
    with delivered as (
      select *
      from ${rows}
      where event_id in (
        select event_id
        from ${rows}
        group by event_id
        having count(*) > 1
      )
    ),
    ${sqlPart('contradicted')}
    select ${BUCKET_OF_FILE} as ${BUCKET_COLUMN}, count(distinct event_id)::varchar as conflicts
    from arrived
    where contradicted
    group by filename`)
}

/** How many rows objects have, and how much memory their columns take. Reads footers only. */
export function sizesSql(objects: readonly string[]): string {
  return `
    select file_name, sum(total_uncompressed_size)::varchar as bytes,
      sum(case when column_id = 0 then row_group_num_rows else 0 end)::varchar as deliveries
    from parquet_metadata(${fileList(objects)})
    group by file_name`
}

/** Decodes every value of an object, and so finds what in it is damaged. */
export function readThroughSql(object: string): string {
  return `select bit_xor(hash(rows_of)) from read_parquet(${fileList([object])}, hive_partitioning = false) as rows_of`
}
