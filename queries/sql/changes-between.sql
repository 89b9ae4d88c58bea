-- @question What changed in the table between two moments?
-- @empty nothing changed in the period
-- @parameter from instant example=2026-11-19T00:00:00Z -- first moment
-- @parameter to instant example=2026-11-20T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE; what a baseline saw is no change
-- @column item_key varchar -- the item
-- @column changed array(varchar) -- attributes that differ
-- @column actor varchar -- who, as far as the record tells
-- @column actor_source varchar -- where actor was found
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
-- @column old_image varchar detail -- the item before
-- @column new_image varchar detail -- the item after
-- @column old_hash varchar detail -- SHA-256 of old_image
-- @column new_hash varchar detail -- SHA-256 of new_image
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{ordered}
select
  event_time,
  event_name,
  item_key,
  changed,
  actor,
  actor_source,
  event_time_us,
  event_id,
  old_image,
  new_image,
  old_hash,
  new_hash
from changes
order by order_us, item_key, step, event_id
