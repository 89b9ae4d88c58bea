-- @question Which items changed most between two moments?
-- @empty nothing changed in the period
-- @parameter limit integer default=20 -- how many items
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column place bigint -- 1 for the item with most changes
-- @column item_key varchar -- the item
-- @column changes bigint -- how many changes
-- @column actors bigint -- how many different actors
-- @column first_time timestamp -- its first change in the period, UTC
-- @column last_time timestamp -- its last
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{unrepeated},
counts as (
  select
    item_key,
    count(*) as changes,
    count(distinct actor) as actors,
    min(event_time) as first_time,
    max(event_time) as last_time
  from unrepeated
  group by item_key
),
places as (
  select row_number() over (order by changes desc, item_key) as place, counts.*
  from counts
)
select place, item_key, changes, actors, first_time, last_time
from places
where place <= :limit
order by place
