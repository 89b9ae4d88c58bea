-- @question Which values did not fit the type that their column declares?
-- @empty every value fitted its column
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @column flat_column varchar -- the column that stayed null
-- @column found_type varchar -- the DynamoDB type of the value
-- @column changes bigint -- in how many changes
-- @column items bigint -- of how many items
-- @column first_time timestamp -- first seen, UTC
-- @column last_time timestamp -- last seen
-- @column example varchar -- one such value in DynamoDB JSON
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and misfits is not null
),
{unrepeated},
values_of as (
  select
    unrepeated.item_key,
    unrepeated.event_time,
    t.flat_column,
    json_format(element_at(cast(json_parse(unrepeated.misfits) as map(varchar, json)), t.flat_column)) as value
  from unrepeated
  cross join unnest(map_keys(cast(json_parse(unrepeated.misfits) as map(varchar, json)))) as t(flat_column)
)
select
  flat_column,
  split_part(value, '"', 2) as found_type,
  count(*) as changes,
  count(distinct item_key) as items,
  min(event_time) as first_time,
  max(event_time) as last_time,
  min(value) as example
from values_of
group by flat_column, split_part(value, '"', 2)
order by flat_column, found_type
