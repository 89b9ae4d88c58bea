-- @question What happened on each day: how many changes, items and actors?
-- @empty nothing changed in the period
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column day varchar -- the UTC day
-- @column changes bigint -- how many; rows of a baseline are none
-- @column inserts bigint -- of these INSERT
-- @column modifies bigint -- of these MODIFY
-- @column removes bigint -- of these REMOVE
-- @column items bigint -- different items
-- @column actors bigint -- different actors
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{unrepeated}
select
  event_date as day,
  count(*) as changes,
  cast(count_if(event_name = 'INSERT') as bigint) as inserts,
  cast(count_if(event_name = 'MODIFY') as bigint) as modifies,
  cast(count_if(event_name = 'REMOVE') as bigint) as removes,
  count(distinct item_key) as items,
  count(distinct actor) as actors
from unrepeated
group by event_date
order by day
