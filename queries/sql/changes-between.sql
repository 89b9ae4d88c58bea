-- @question What changed in the table between two moments?
-- @empty nothing changed in the period
-- @parameter from instant example=2026-11-19T00:00:00Z -- first moment
-- @parameter to instant example=2026-11-20T00:00:00Z -- the moment after the last
-- @column event_time -- when DynamoDB made the change, UTC
-- @column event_name -- INSERT, MODIFY or REMOVE; what a baseline saw is no change
-- @column item_key -- the item
-- @column changed -- attributes that differ
-- @column actor -- who, as far as the record tells
-- @column actor_source -- where actor was found
-- @column event_time_us detail -- event_time in microseconds since 1970
-- @column event_id detail -- identifies the change
-- @column old_image detail -- the item before
-- @column new_image detail -- the item after
-- @column old_hash detail -- SHA-256 of old_image
-- @column new_hash detail -- SHA-256 of new_image
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
