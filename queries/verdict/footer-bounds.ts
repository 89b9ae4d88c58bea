import { quoted, quotedName } from '../engines/literal.js'

/** What an object's footer says of its columns, which questions believe: a filter passes over what lies beyond. */

/** Types whose bounds mean the same in the footer and in a statement. */
const BOUNDED = /^(VARCHAR|BIGINT|INTEGER|BOOLEAN|DOUBLE|TIMESTAMP.*|DECIMAL.*)$/

/** Images are told by their hashes, and no question of ours filters by them. */
const UNBOUNDED: readonly string[] = ['old_image', 'new_image']

/**
 * SQL for objects of one schema: those in whose footer the least or greatest value of a column, or how often it is
 * null, is another than in their rows, with the columns' names. `list` is the objects as DuckDB takes them.
 */
export function misledObjects(list: string, columns: ReadonlyMap<string, string>): string {
  const bounded = [...columns].filter(([name, type]) => BOUNDED.test(type) && !UNBOUNDED.includes(name))
  const held = bounded.flatMap(([name], i) => {
    const column = `rows.${quotedName(name)}`
    return [`min(${column}) as min_${i}`, `max(${column}) as max_${i}`, `count(${column}) as n_${i}`]
  })
  const told = bounded.flatMap(([name], i) => {
    // as a filter of each maximum the same takes ten times as long
    const of = (what: string) => `max(case when path_in_schema = ${quoted(name)} then ${what} end) as`
    return [
      `${of('stats_min_value')} tmin_${i}`,
      `${of('stats_max_value')} tmax_${i}`,
      `${of('stats_null_count')} tn_${i}`,
    ]
  })
  const wrong = bounded.map(([name, type], i) => {
    const beyond = (told: string, is: string) =>
      `(${told} is not null and coalesce(${is} try_cast(${told} as ${type}), n_${i} > 0))`
    const nulls = `coalesce(tn_${i} <> n - n_${i}, false)`
    return `case when ${beyond(`tmin_${i}`, `min_${i} <`)} or ${beyond(`tmax_${i}`, `max_${i} >`)} or ${nulls} then ${quoted(name)} end`
  })
  return `
    with footers as (select * from parquet_metadata(${list})),
    parts as (
      select file_name, row_group_id, n, sum(n) over (partition by file_name order by row_group_id) - n as first
      from (select distinct file_name, row_group_id, row_group_num_rows as n from footers)
    ),
    held as (
      select parts.file_name, parts.row_group_id, count(*) as n, ${held.join(', ')}
      from read_parquet(${list}, hive_partitioning = false, filename = 'object_path', file_row_number = true) as rows
      join parts on rows.object_path = parts.file_name
        and rows.file_row_number >= parts.first and rows.file_row_number < parts.first + parts.n
      group by all
    ),
    told as (select file_name, row_group_id, ${told.join(', ')} from footers group by all)
    select file_name, list_distinct(flatten(list(names))) from (
      select file_name, list_filter([${wrong.join(', ')}], lambda name: name is not null) as names
      from held join told using (file_name, row_group_id)
    ) where len(names) > 0 group by file_name`
}
