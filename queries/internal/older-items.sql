-- @question Which items are older than their first change?
-- @empty none
-- @column item_key varchar -- the item
-- @column event_time_us bigint -- when the earliest of its changes was made, baselines that were ahead left out
-- @column entry_state varchar -- the state that its first change left
with taken as (
  select *
  from {changes}
),
{linked},
arrived as (
  select *
  from linked_items
  where linked = 0 or with_baseline
),
{ordered},
-- the clock of a stream can run against its sequence, so that the first change need not be the earliest one: the item
-- is older than a moment only where none was made by then
chain as (
  select
    item_key,
    step,
    place_in_step,
    entry_state,
    min(step) over (partition by item_key) as first_step,
    min(event_time_us) over (partition by item_key) as earliest_us
  from changes
  where not ahead
)
select item_key, earliest_us as event_time_us, entry_state
from chain
where step = first_step
  and place_in_step = 1
  and entry_state <> 'absent'
order by item_key
