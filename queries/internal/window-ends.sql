-- @question What was each item that changed between two moments before its first change, and after its last?
-- @empty nothing changed in the period
-- @parameter from instant example=2026-11-19T00:00:00Z -- first moment
-- @parameter to instant example=2026-11-20T00:00:00Z -- the moment after the last
-- @column item_key varchar -- the item
-- @column entry_state varchar -- the state that its first change left: a hash, `absent`, or a word that tells of none
-- @column exit_state varchar -- the state that its last change entered
-- @column last_us bigint -- when that was made
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{ordered}
select
  item_key,
  min_by(entry_state, step) as entry_state,
  max_by(exit_state, step) as exit_state,
  max(event_time_us) as last_us
from changes
where place_in_step = 1
group by item_key
