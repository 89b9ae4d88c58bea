import { quoted } from '../queries/literal.js'
import { fileList } from '../queries/parquet-files.js'
import { emptyRows, rowsOfObjects } from '../queries/relations.js'
import { AUDIT_COLUMNS, type Column } from '../transform/audit-row.js'
import { BUCKET_COLUMN, bucketSql } from '../transform/derived.js'

/**
 * Rows of a row group. DuckDB's least, because a question about one item reads whole row groups; smaller ones would
 * cost more in footers than they save.
 */
const ROW_GROUP = 2048

/** Items may have 400 KB, and two images a row: a row group of those is written when it has come to this. */
const ROW_GROUP_BYTES = '32MB'

/**
 * How often which row of which change was delivered, as one number whatever the order: the sum of the two halves of the MD5 of
 * `event_id row_hash` over all deliveries. Equal digests of equally many mean the same rows, equally often.
 */
export function digestSql(times: string): string {
  const half = (name: string) => `coalesce(sum(${name}(event_id || ' ' || row_hash)::hugeint * ${times}), 0)::varchar`
  return `${half('md5_number_upper')} || '-' || ${half('md5_number_lower')}`
}

/** What the rows of some objects come to, bucket by bucket: read from the archive itself, in a pass of its own. */
export function deliveriesSql(objects: readonly string[], digits: number): string {
  return `
    select ${bucketSql('item_key', digits)} as ${BUCKET_COLUMN}, count(*)::varchar as deliveries, ${digestSql('1')} as digest,
      min(event_time_us)::varchar as began_us, min(item_key) as sample_key,
      count_if(event_id is null or row_hash is null or item_key is null or event_time_us is null)::varchar as broken
    from (${rowsOfObjects(objects)})
    group by 1
    order by 1`
}

/** Rows of some objects in order of their buckets, so that each bucket can be read back from a few row groups. */
export function stageSql(objects: readonly string[], columns: readonly Column[], digits: number, path: string): string {
  return `
    copy (
      select *, ${bucketSql('item_key', digits)} as ${BUCKET_COLUMN}
      from (${emptyRows(columns)} union all by name ${rowsOfObjects(objects)})
      order by ${BUCKET_COLUMN}, item_key, event_time_us
    ) to ${quoted(path)} (format parquet, compression snappy, row_group_size ${ROW_GROUP}, row_group_size_bytes '${ROW_GROUP_BYTES}')`
}

/** The rows of a staged file. */
export function stagedRows(path: string): string {
  return `read_parquet(${fileList([path])}, hive_partitioning = false)`
}

/** Where the rows of new runs come from: staged rows of some buckets, and whole runs that are merged into them. */
export function bucketRowsSql(
  staged: readonly string[],
  merged: readonly string[],
  buckets: readonly { readonly bucket: string }[],
): string {
  const read = (files: readonly string[]) =>
    `from read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false, filename = 'from_file',
      file_row_number = true)`
  const [first, last] = [buckets[0]?.bucket ?? '', buckets.at(-1)?.bucket ?? '']
  const chosen = `${BUCKET_COLUMN} between ${quoted(first)} and ${quoted(last)}`
  const fresh = `select * exclude (${BUCKET_COLUMN}), 0::bigint as repeats ${read(staged)} where ${chosen}`
  return [fresh, ...(merged.length > 0 ? [`select * ${read(merged)}`] : [])].join(' union all by name ')
}

/** Rows that are there more than once: which is kept, the first to arrive, and how many others it stands for. */
export function repeatedSql(rows: string): string {
  return `
    create or replace temp table repeated as
    select event_id, row_hash, sum(repeats + 1)::bigint - 1 as repeats,
      arg_min({'file': from_file, 'row': file_row_number}, (arrived_at, from_file, file_row_number)) as kept
    from (${rows})
    group by event_id, row_hash
    having count(*) > 1`
}

/** Columns that two deliveries of a row may differ in. */
const OF_DELIVERY = ['arrived_at', 'size_bytes']

/** Rows of one `row_hash` that differ all the same: somebody changed one of them. */
export function disagreeingSql(rows: string): string {
  const columns = AUDIT_COLUMNS.filter(({ name }) => !OF_DELIVERY.includes(name)).map(({ name }) => `"${name}"`)
  return `
    select event_id
    from (${rows}) as rows_of
    semi join repeated using (event_id, row_hash)
    group by event_id, row_hash
    having count(distinct hash(${columns.join(', ')})) > 1
    order by event_id
    limit 20`
}

/** Writes a run: each row once, sorted by item and time. */
export function runSql(rows: string, anyRepeated: boolean, path: string): string {
  const once = anyRepeated
    ? `select rows_of.* replace (coalesce(repeated.repeats, rows_of.repeats) as repeats)
       from (${rows}) as rows_of
       left join repeated using (event_id, row_hash)
       where repeated.event_id is null
         or (repeated.kept.file = from_file and repeated.kept.row = file_row_number)`
    : rows
  return `
    copy (
      select * exclude (from_file, file_row_number)
      from (${once})
      order by item_key, event_time_us, sequence, event_id, row_hash
    ) to ${quoted(path)} (format parquet, parquet_version v2, compression zstd, row_group_size ${ROW_GROUP}, row_group_size_bytes '${ROW_GROUP_BYTES}')`
}

/** The bucket that a run is of, by the folder it lies in. */
const BUCKET_OF_FILE = String.raw`regexp_extract(filename, '${BUCKET_COLUMN}=([0-9a-f]+)[/\\][^/\\]*$', 1)`

/** What runs hold, read back from their files. `strange` counts rows of another bucket, or there twice. */
export function writtenSql(paths: readonly string[], digits: number): string {
  return `
    select ${BUCKET_OF_FILE} as ${BUCKET_COLUMN}, count(*)::varchar as rows_kept, sum(repeats + 1)::varchar as deliveries,
      ${digestSql('(repeats + 1)')} as digest,
      (count(*) - count(distinct event_id || row_hash)
        + count_if(${bucketSql('item_key', digits)} <> ${BUCKET_OF_FILE}))::varchar as strange
    from read_parquet(${fileList(paths)}, union_by_name = true, hive_partitioning = false, filename = true)
    group by filename`
}

/** Changes whose rows contradict one another, run by run; all of them are kept. */
export function conflictsSql(paths: readonly string[]): string {
  return `
    select ${BUCKET_OF_FILE} as ${BUCKET_COLUMN}, count(distinct event_id)::varchar as conflicts
    from (
      select filename, event_id
      from read_parquet(${fileList(paths)}, union_by_name = true, hive_partitioning = false, filename = true)
      where time_precision <> 'arrival'
      group by filename, event_id, config_id, source_event_id
      having min(row_hash) <> max(row_hash)
    )
    group by filename`
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
