import { type Column, duckDbType } from '../../transform/audit-row.js'
import { DAY_IN_PATH } from '../../transform/layout.js'
import { fileList } from './file-list.js'
import { quoted, quotedName } from './literal.js'

/** What views over an archive's files are made of: SQL for DuckDB. */

/**
 * The partition's date, from the last folder of that name in the path: an object may lie deeper than its day's folder.
 * DuckDB's own hive partitioning takes every `name=value` in it, so that a folder above the archive could stand in for
 * a column. Either way it opens no file that a question's days leave out.
 */
const DATE_OF_FILE = `regexp_extract(filename, ${quoted(DAY_IN_PATH)}, 1)`

/**
 * No rows, of the columns that are known although no row may have filled them yet, in the types of the archive's
 * objects.
 */
export function emptyRows(columns: readonly Column[]): string {
  return noRows(columns, duckDbType)
}

/**
 * The same for what is asked: an instant carries its zone, which the archive's objects do not say, so that `at time
 * zone` gives another place's clock. What is united with these rows takes on their types.
 */
export function emptyZonedRows(columns: readonly Column[]): string {
  return noRows(columns, type => (type === 'timestamp' ? 'timestamptz' : duckDbType(type)))
}

function noRows(columns: readonly Column[], typeOf: (type: Column['type']) => string): string {
  const typed = columns.map(({ name, type }) => `null::${typeOf(type)} as ${quotedName(name)}`)
  return `select ${[...typed, 'null::varchar as event_date'].join(', ')} where false`
}

/** The rows of some of the archive's objects. */
export function rowsOfObjects(files: readonly string[]): string {
  return `select * exclude (filename), ${DATE_OF_FILE} as event_date
      from read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false, filename = true)`
}

/** The rows that some of a copy's files stand for: each as often as it was delivered. */
export function rowsOfRuns(files: readonly string[]): string {
  return `select runs.* exclude (repeats)
      from read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false) as runs
      cross join unnest(range(runs.repeats + 1))`
}

/**
 * A change without a time of its own may lie in several partitions, once for each arrival. Only its earliest row
 * counts, and a question about a period could not see that one; so here, where all partitions are at hand, the others
 * are left out. One id is of one item; that the item is named lets a question about one look at no other.
 */
export function earliestArrivals(rows: string): string {
  // materialized, it would be read whole before a question's days could narrow it
  return `with every as not materialized (${rows})
    select * from every where time_precision <> 'arrival'
    union all by name
    select * from every where time_precision = 'arrival'
    qualify row_number() over (partition by item_key, event_id order by event_time_us, row_hash, arrived_at) = 1`
}
