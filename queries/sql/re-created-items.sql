-- @question Which items were deleted and inserted again, and how long were they gone?
-- @empty no item was inserted again after it was deleted
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment of an insert
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days to=to
-- @actor today
-- @column item_key varchar -- the item
-- @column deleted_at timestamp -- when it was deleted, UTC
-- @column created_at timestamp -- when it was inserted again, UTC
-- @column seconds_gone double -- in between
-- @column deleted_by varchar -- actor of the delete; null where none was recorded
-- @column last_writer varchar -- who wrote the version that was deleted
-- @column created_by varchar -- actor of the insert
-- @column event_id varchar detail -- identifies the insert
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{ordered},
followed as (
  select
    changes.*,
    lag(event_name) over (partition by item_key order by step, event_id) as event_before,
    lag(event_time) over (partition by item_key order by step, event_id) as time_before,
    lag(event_time_us) over (partition by item_key order by step, event_id) as us_before,
    lag(actor) over (partition by item_key order by step, event_id) as actor_before,
    lag(last_writer) over (partition by item_key order by step, event_id) as writer_before
  from changes
  where not ahead
)
select
  item_key,
  time_before as deleted_at,
  event_time as created_at,
  cast(event_time_us - us_before as double) / 1000000 as seconds_gone,
  actor_before as deleted_by,
  writer_before as last_writer,
  actor as created_by,
  event_id
from followed
where event_name = 'INSERT'
  and event_before = 'REMOVE'
  and event_time_us >= {us :from}
order by event_time_us, item_key, event_id
