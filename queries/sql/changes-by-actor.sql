-- @question What did one actor change between two moments?
-- @empty the archive has no change by this actor in the period
-- @parameter actor text example=alice@ops.example -- as answers show it; DynamoDB time to live for its own deletes
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column item_key varchar -- the item
-- @column changed array(varchar) -- attributes that differ
-- @column actor_source varchar -- where actor was found: service, new_image, or new_image_today where another
--   attribute, or none, was configured then
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and actor = :actor
),
{unrepeated}
select event_time, event_name, item_key, changed, actor_source, event_time_us, event_id
from unrepeated
order by event_time_us, item_key, event_id
