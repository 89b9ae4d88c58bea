-- @question Which steps did items take from status to status, and how long did they stay in each?
-- @empty no item changed its status in the period
-- @parameter attribute attribute default=status example=status -- the attribute that holds the status, a string, or
--   its path as history prints it
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment of a step
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days to=to
-- @actor today
-- @column event_time timestamp -- when the item took the step, UTC
-- @column item_key varchar -- the item
-- @column from_status varchar -- null where the item or the attribute was not there, or where no image tells, as of a
--   first change that found the item there without one
-- @column to_status varchar -- null where it is gone
-- @column seconds_in_status double -- how long the item then stayed, null if it still does
-- @column actor varchar -- who, as far as the record tells
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{ordered},
{attribute-changes},
statuses as (
  select
    compared.*,
    json_extract_scalar(value_before, '$.S') as from_status,
    json_extract_scalar(value_after, '$.S') as to_status
  from compared
),
transitions as (
  select
    statuses.*,
    lead(event_time_us) over (partition by item_key order by step, event_id) as left_us
  from statuses
  where from_status is distinct from to_status
)
select
  event_time,
  item_key,
  from_status,
  to_status,
  case when to_status is not null then cast(left_us - event_time_us as double) / 1000000 end as seconds_in_status,
  actor,
  event_time_us,
  event_id
from transitions
where event_time_us >= {us :from}
  -- that a baseline saw a status is no step to it
  and event_name <> 'BASELINE'
order by event_time_us, item_key, step, event_id
