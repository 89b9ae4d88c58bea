-- @question Who changed the table for the first time, between two moments?
-- @empty everybody who made changes in the period had made one before
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days to=to
-- @actor today
-- @column event_time timestamp -- when the first change of this actor in the archive was made, UTC
-- @column actor varchar -- who
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column item_key varchar -- the item
-- @column changes bigint -- how many changes this actor made until the end of the period
-- @column items bigint -- of how many items
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
-- What was before the archive begins nobody knows: who is new in its first days may have been there before.
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
    and actor is not null
),
{unrepeated},
of_actors as (
  select
    unrepeated.*,
    row_number() over (partition by actor order by event_time_us, item_key, event_id) as place,
    row_number() over (partition by actor, item_key order by event_time_us, event_id) as place_of_item,
    count(*) over (partition by actor) as changes
  from unrepeated
),
firsts as (
  select
    of_actors.*,
    sum(case when place_of_item = 1 then 1 else 0 end) over (partition by actor) as items
  from of_actors
)
select
  event_time,
  actor,
  event_name,
  item_key,
  cast(changes as bigint) as changes,
  cast(items as bigint) as items,
  event_time_us,
  event_id
from firsts
where place = 1
  and event_time_us >= {us :from}
order by event_time_us, actor, event_id
