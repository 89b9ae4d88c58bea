-- @question Which items were deleted between two moments, and by whom or what?
-- @empty nothing was deleted in the period
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB deleted the item, UTC
-- @column item_key varchar -- the item
-- @column deleted_by varchar -- time to live, the recorded identity, or not recorded: a request, or a time to live
--   that another region replicated
-- @column last_writer varchar -- who wrote the item's last version, which says nothing of who deleted it
-- @column old_image varchar detail -- the item as it was
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name = 'REMOVE'
),
{ordered}
select
  event_time,
  item_key,
  case when actor = 'dynamodb.amazonaws.com' then 'time to live' else coalesce(actor, 'not recorded') end as deleted_by,
  last_writer,
  old_image,
  event_time_us,
  event_id
from changes
order by order_us, item_key, step, event_id
