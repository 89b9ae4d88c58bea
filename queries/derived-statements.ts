import type { Column } from '../transform/audit-row.js'
import { BUCKET_COLUMN, bucketSql } from '../transform/derived.js'
import { PARTITION_COLUMN } from '../transform/partition.js'
import { quoted } from './literal.js'

/**
 * The clustered copy in the SQL of Athena and Trino, by the same rule as on a desk: of rows with one `event_id` and one
 * `row_hash` the first to arrive is kept, `repeats` counts the others, and the bucket comes from the item's key. The stack
 * does not run these statements; docs/compaction.md says what they lack.
 */
export interface ClusteredCopy {
  /** The archive's table and the copy's, as they stand in SQL. */
  readonly archive: string
  readonly copy: string
  readonly columns: readonly Column[]
  /** How many hex digits name a bucket. */
  readonly digits: number
}

/** Athena and Trino write at most so many partitions in one statement. */
export const MOST_PARTITIONS = 100

/**
 * Statements that make the copy, in order: the first creates it, the others add to it, each at most a hundred
 * buckets. Every one takes two values: the first day and the last. `properties` are those of the table but for its
 * partitioning: on Athena `format`, `write_compression` and `external_location`.
 */
export function copyStatements(about: ClusteredCopy, properties: Readonly<Record<string, string>>): readonly string[] {
  const { copy } = about
  const settings = Object.entries(properties).map(([name, value]) => `${name} = ${quoted(value)}`)
  const partitioned = `partitioned_by = array['${BUCKET_COLUMN}']`
  return rangesOf(about.digits).map(([from, to], i) => {
    const rows = rowsOnce(about, from, to)
    return i === 0
      ? `create table ${copy}\nwith (${[...settings, partitioned].join(', ')}) as\n${rows}`
      : `insert into ${copy}\n${rows}`
  })
}

/** Buckets from `from` up to before `to`; undefined is no end. */
function rangesOf(digits: number): readonly (readonly [from: string, to: string | undefined])[] {
  const buckets = 16 ** digits
  const parts = Math.ceil(buckets / MOST_PARTITIONS)
  const bucketAt = (i: number) => i.toString(16).padStart(digits, '0')
  const starts = Array.from({ length: parts }, (_, part) => Math.floor((part * buckets) / parts))
  return starts.map((start, part) => {
    const end = starts[part + 1]
    return [bucketAt(start), end === undefined ? undefined : bucketAt(end)] as const
  })
}

function rowsOnce({ archive, columns, digits }: ClusteredCopy, from: string, to: string | undefined): string {
  const names = [...columns.map(({ name }) => `"${name}"`), PARTITION_COLUMN].join(', ')
  const bucket = bucketSql('item_key', digits)
  const ending = to === undefined ? '' : `\n    and ${bucket} < '${to}'`
  return `with delivered as (
  select
    ${names},
    count(*) over (partition by event_id, row_hash) - 1 as repeats,
    row_number() over (partition by event_id, row_hash order by arrived_at) as delivery,
    ${bucket} as ${BUCKET_COLUMN}
  from ${archive}
  where ${PARTITION_COLUMN} >= ?
    and ${PARTITION_COLUMN} <= ?
    and ${bucket} >= '${from}'${ending}
)
select ${names}, repeats, ${BUCKET_COLUMN}
from delivered
where delivery = 1
order by ${BUCKET_COLUMN}, item_key, event_time_us, sequence, event_id, row_hash`
}

/**
 * What stands for `{changes}` in a question about one item that asks the copy: the rows of the item's bucket, each as often
 * as it was delivered. The engine passes over all other buckets.
 */
export function itemRelation({ copy, columns, digits }: ClusteredCopy): string {
  const names = [...columns.map(({ name }) => `"${name}"`), PARTITION_COLUMN].join(', ')
  return `(
    select ${names}
    from ${copy}
    cross join unnest(sequence(0, repeats)) as deliveries(delivery)
    where ${BUCKET_COLUMN} = ${bucketSql(':item_key', digits)}
  )`
}
