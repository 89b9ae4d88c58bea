-- @question Which changes arrived long after they were made?
-- @empty no change in the period arrived so late
-- @parameter seconds integer default=900 -- how late counts as late
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column arrived_at timestamp -- when the delivery stream first took it in, UTC
-- @column seconds_late double -- in between
-- @column event_name varchar -- INSERT, MODIFY, REMOVE or BASELINE
-- @column item_key varchar -- the item
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
),
first_arrivals as (
  select
    arrived.*,
    row_number() over (partition by event_id order by arrived_at, row_hash) as arrival
  from arrived
),
measured as (
  select
    first_arrivals.*,
    cast(to_unixtime(arrived_at) as double) - cast(event_time_us as double) / 1000000 as seconds_late
  from first_arrivals
  where arrival = 1
)
select event_time, arrived_at, round(seconds_late) as seconds_late, event_name, item_key, event_id
from measured
where seconds_late > :seconds
order by seconds_late desc, event_id
