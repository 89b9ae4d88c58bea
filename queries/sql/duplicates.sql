-- @question Which changes were delivered more than once?
-- @empty every change in the period was delivered once
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column item_key varchar -- the item
-- @column deliveries bigint -- how often it was delivered
-- @column distinct_rows bigint -- how many different rows came of it; more than one under one configuration is a
--   conflict, but where a person was erased between them (`item-history` tells)
-- @column configurations bigint -- under how many configurations
-- @column first_arrival timestamp -- when it first arrived, UTC
-- @column last_arrival timestamp -- when it last arrived
-- @column event_id varchar -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
)
select
  min(event_time) as event_time,
  item_key,
  count(*) as deliveries,
  count(distinct row_hash) as distinct_rows,
  count(distinct config_id) as configurations,
  min(arrived_at) as first_arrival,
  max(arrived_at) as last_arrival,
  event_id
from arrived
group by event_id, item_key
having count(*) > 1
order by event_time, event_id
