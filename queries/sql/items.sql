-- @question Which items does the archive know, how often did each change, and was it there at a moment?
-- @empty the archive knows no such item up to that moment
-- @parameter key text default= example="order_id":{"S":"ORD1 -- what the item's key has in it, as item_key writes it;
--   all items where it is empty
-- @parameter at instant example=2026-11-19T12:00:00Z -- the moment; changes at it count
-- @parameter limit integer default=1000000000 example=20 -- how many items, by their keys
-- @parameter gone items default={} preset=facts -- items that were gone, since a complete baseline lacks them: a JSON
--   object whose names are the time of the last change in microseconds, a space, the item's key
-- @parameter seen instant default=1970-01-01T00:00:00Z preset=facts -- the newest complete baseline up to the moment:
--   an item whose state is unknown and that did not change since was gone
-- @days to=at+1
-- @states from=at to=at rows=all
-- @actor today
-- @column item_key varchar -- the item
-- @column state varchar -- present, deleted, gone (a complete baseline since its last change lacks it), or unknown
--   where the view type keeps no image or the order cannot be told
-- @column event_time timestamp -- when its last change was made, UTC
-- @column event_name varchar -- the kind of that change
-- @column actor varchar -- who made it
-- @column changes bigint -- how many changes there are of it; rows of baselines are none
-- @column event_id varchar detail -- identifies the last change
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column time_precision varchar detail -- s, ms, us or arrival
-- @column known bigint detail -- how many such items the archive knows
-- That an item was gone which a complete baseline lacks, the archive's facts tell; without them, as in Athena's
-- console, it does not know.
with arrived as (
  -- a day more, because the changes after a baseline tell whether it was ahead
  select *
  from {changes}
  where event_date <= {day-after :at}
    and event_time_us <= {us :at} + 86400000000
    and strpos(item_key, :key) > 0
),
{ordered},
until_then as (
  select
    changes.*,
    sum(case when event_name <> 'BASELINE' then 1 else 0 end) over (partition by item_key) as item_changes
  from changes
  where event_time_us <= {us :at}
),
{last-changes},
last_seen as (
  select
    item_key,
    case
      when exit_state = 'absent' then 'deleted'
      when new_state = exit_state and new_hash is not null then 'present'
      else 'unknown'
    end as state,
    event_time,
    event_time_us as last_us,
    case when new_state = exit_state then event_time_us end as event_time_us,
    event_name,
    actor,
    item_changes,
    event_id,
    time_precision
  from last_changes
),
-- a value can be bound in a WHERE only: of the two words the one stays that is true
told as (
  select last_seen.*, is_gone
  from last_seen
  cross join unnest(array[true, false]) as t(is_gone)
  where is_gone <> (
    {not-gone}
    and (state <> 'unknown' or event_time_us is null or event_time_us > {us :seen})
  )
),
listed as (
  select told.*, row_number() over (order by item_key) as place, count(*) over () as known
  from told
)
select
  item_key,
  case when is_gone then 'gone' else state end as state,
  event_time,
  event_name,
  actor,
  cast(item_changes as bigint) as changes,
  event_id,
  last_us as event_time_us,
  time_precision,
  known
from listed
where place <= :limit
order by place
