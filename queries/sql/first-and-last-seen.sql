-- @question When was each item first and last seen, and how often did it change?
-- @empty the archive has no change of this table
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @days to=to
-- @without-facts to
-- @column item_key varchar -- the item
-- @column first_event varchar -- its first change; anything but INSERT or BASELINE means that it is older than the
--   archive
-- @column first_time timestamp -- when, UTC
-- @column last_event varchar -- its last change; REMOVE means that it is gone
-- @column last_time timestamp -- when, UTC
-- @column changes bigint -- how many changes; rows of a baseline are none
-- It reads rows, and no facts: that an item was gone which a later complete baseline lacks, it does not know.
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{ordered},
placed_twice as (
  select
    changes.*,
    row_number() over (partition by item_key order by step, event_id) as from_first,
    row_number() over (partition by item_key order by step desc, event_id desc) as from_last
  from changes
)
select
  item_key,
  max(case when from_first = 1 then event_name end) as first_event,
  min(event_time) as first_time,
  max(case when from_last = 1 then event_name end) as last_event,
  max(event_time) as last_time,
  cast(count_if(event_name <> 'BASELINE') as bigint) as changes
from placed_twice
group by item_key
order by item_key
