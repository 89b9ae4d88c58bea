-- @question What happened to the items of one partition, change by change in time, oldest first?
-- @empty the archive has no change of these items in the period
-- @parameter key text example="pk":{"S":"CUSTOMER#1"} -- what the items' keys have in common, as item_key writes it
-- @parameter from instant default=1970-01-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY, REMOVE or BASELINE
-- @column item_key varchar -- the item
-- @column changed array(varchar) -- attributes that differ
-- @column actor varchar -- who, as far as the record tells
-- @column actor_source varchar detail -- where actor was found
-- @column step bigint detail -- place in the item's order; changes that share one have no order of their own
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column time_precision varchar detail -- s, ms, us or arrival
-- @column event_id varchar detail -- identifies the change
-- @column old_image varchar detail -- the item before
-- @column new_image varchar detail -- the item after
-- @column old_hash varchar detail -- SHA-256 of old_image
-- @column new_hash varchar detail -- SHA-256 of new_image
with arrived as (
  select *
  from {changes}
  where strpos(item_key, :key) > 0
    and event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
),
{ordered}
select
  event_time,
  event_name,
  item_key,
  changed,
  actor,
  actor_source,
  step,
  event_time_us,
  time_precision,
  event_id,
  old_image,
  new_image,
  old_hash,
  new_hash
from changes
order by order_us, item_key, step, event_id
