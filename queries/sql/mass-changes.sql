-- @question Were there bursts: many deletes, or one attribute changed in many items, within a minute?
-- @empty no minute of the period has so many changes of one kind
-- @parameter at_least integer default=50 -- how many changes within a minute count as a burst
-- @parameter attribute attribute default= example=shipping.city -- changes of one attribute only, or of a path as
--   history prints it
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column minute timestamp -- beginning of the minute, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column attribute varchar -- the attribute that changed, null for INSERT and REMOVE
-- @column changes bigint -- how many
-- @column items bigint -- of how many items
-- @column actors array(varchar) -- by whom; (not recorded) where nobody is named, as of most deletes
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{unrepeated},
touches as (
  select
    date_trunc('minute', unrepeated.event_time) as minute,
    unrepeated.event_name,
    t.attribute,
    unrepeated.item_key,
    unrepeated.actor
  from unrepeated
  cross join unnest(
    case
      when unrepeated.event_name = 'MODIFY' then coalesce(unrepeated.changed, array['(unknown)'])
      else array[null]
    end
  ) as t(attribute)
  where :attribute = ''
    or t.attribute = :attribute
),
bursts as (
  select
    minute,
    event_name,
    attribute,
    count(*) as changes,
    count(distinct item_key) as items,
    array_sort(array_agg(distinct coalesce(actor, '(not recorded)'))) as actors
  from touches
  group by minute, event_name, attribute
)
select minute, event_name, attribute, changes, items, actors
from bursts
where changes >= :at_least
order by minute, event_name, attribute
