-- @question Which items differ between two moments, and in what?
-- @empty no item differs between the two moments
-- @parameter from instant example=2026-11-18T00:00:00Z -- the earlier moment; changes at it are included
-- @parameter to instant example=2026-11-20T00:00:00Z -- the later moment; changes at it are included
-- @parameter gone items default={} preset=facts -- items that were gone, since a complete baseline lacks them: a JSON
--   object whose names are the time of the last change in microseconds, a space, an a or a b for the earlier or the
--   later moment, the item's key
-- @parameter seen_from instant default=1970-01-01T00:00:00Z preset=facts -- the newest complete baseline up to the
--   earlier moment: an item whose state is unknown and that did not change since was gone
-- @parameter seen_to instant default=1970-01-01T00:00:00Z preset=facts -- the newest complete baseline up to the
--   later moment: an item whose state is unknown and that did not change since was gone
-- @days to=to+1
-- @states from=from to=to
-- @actor recorded
-- @column item_key varchar -- the item
-- @column difference varchar -- added, removed, changed, or unknown: no image tells what it was at one of the moments,
--   or it was there at the earlier one although the archive has no change of it by then
-- @column attributes array(varchar) -- top-level attributes that differ; none of an item of which that is unknown
-- @column before varchar detail -- the item at the earlier moment in DynamoDB JSON
-- @column after varchar detail -- the item at the later moment
-- That an item was gone which a complete baseline lacks, the archive's facts tell; without them, as in Athena's
-- console, it does not know.
with taken as (
  -- an item at a moment is looked at as an item of its own, so that one pass does for both
  select
    moments.moment || rows_of.item_key as item_key,
    moments.moment || rows_of.event_id as event_id,
    moments.moment,
    source_event_id,
    subjects,
    event_name,
    event_time,
    event_time_us,
    time_precision,
    sequence,
    source,
    old_hash,
    new_hash,
    new_image,
    actor,
    config_id,
    row_hash,
    arrived_at
  from {changes} as rows_of
  cross join unnest(array['a', 'b']) as moments(moment)
  -- a day more, because the changes after a baseline tell whether it was ahead
  where event_date <= {day-after :to}
    and (
      (moments.moment = 'a' and event_time_us <= {us :from} + 86400000000)
      or (moments.moment = 'b' and event_time_us <= {us :to} + 86400000000)
    )
),
{superseded},
arrived as (
  select *
  from in_sequence
  where superseded_us is null
    or (moment = 'a' and superseded_us > {us :from})
    or (moment = 'b' and superseded_us > {us :to})
    -- it tells whether the item is older than what the archive has of it
    or (moment = 'b' and is_first and event_time_us > {us :from})
),
{ordered},
begun as (
  select
    changes.*,
    substr(
      min(case when not ahead then lpad(cast(step as varchar), 12, '0') || entry_state end) over (
        partition by item_key
      ),
      13
    ) as first_state
  from changes
),
until_then as (
  select *
  from begun
  where (moment = 'a' and event_time_us <= {us :from})
    or (moment = 'b' and event_time_us <= {us :to})
),
{last-changes},
left_then as (
  select
    item_key,
    moment,
    first_state,
    {state-left} as state,
    case when new_state = exit_state then new_image end as image,
    case when new_state = exit_state then event_time_us end as event_time_us
  from last_changes
),
-- a value can be bound in a WHERE only: of the two words the one stays that is true
told as (
  select left_then.*, is_there
  from left_then
  cross join unnest(array[true, false]) as t(is_there)
  where is_there = (
    {not-gone}
    and (
      state <> 'unknown'
      or event_time_us is null
      or event_time_us > case when moment = 'a' then {us :seen_from} else {us :seen_to} end
    )
  )
),
sides as (
  select
    substr(item_key, 2) as item_key,
    case
      -- its first change found it there already
      when count_if(moment = 'a') = 0 and max(first_state) <> 'absent' then 'unknown'
      else max(case when moment = 'a' and is_there then state end)
    end as state_before,
    max(case when moment = 'b' and is_there then state end) as state_after,
    max(case when moment = 'a' and is_there then image end) as before,
    max(case when moment = 'b' and is_there then image end) as after
  from told
  group by substr(item_key, 2)
),
{differing}
select *
from differing
order by item_key
