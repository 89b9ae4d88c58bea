-- @question Which changes between two moments does nobody answer for?
-- @empty every change in the period names an actor
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column item_key varchar -- the item
-- @column changed array(varchar) -- attributes that differ
-- @column last_writer varchar -- who wrote the version before
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and actor is null
    and event_name <> 'BASELINE'
),
{unrepeated}
select
  event_time,
  event_name,
  item_key,
  changed,
  last_writer,
  event_time_us,
  event_id
from unrepeated
order by event_time_us, item_key, event_id
