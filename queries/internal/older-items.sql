-- @question Which items are older than their first change?
-- @empty none
-- @column item_key varchar -- the item
-- @column event_time_us bigint -- when its first change was made
-- @column entry_state varchar -- the state that it left
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
chain as (
  select
    item_key,
    step,
    entry_state,
    event_time_us,
    min(step) over (partition by item_key) as first_step
  from changes
  where not ahead
    and place_in_step = 1
)
select item_key, event_time_us, entry_state
from chain
where step = first_step
  and entry_state <> 'absent'
order by item_key
