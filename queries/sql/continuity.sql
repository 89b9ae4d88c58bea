-- @question Is anything missing? Each change must leave the state that the item's change before it entered.
-- @empty no break: from the first to the last change that the archive has of each item, every change leaves the state that the one before entered
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @column finding -- GAP, CONFLICT, PRE-ARCHIVE, KEYS-ONLY, DUPLICATE or UNRESOLVED-ORDER
-- @column item_key -- the item
-- @column event_id -- the change at which it shows; of a tie group the first by id
-- @column event_time -- when DynamoDB made that change, UTC
-- @column expected_state detail -- hash of the item's state before, or absent
-- @column found_state detail -- hash of the state that the change left, or absent
-- @column changes -- how many changes are concerned
-- @column event_time_us detail -- event_time in microseconds since 1970
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{ordered},
firsts as (
  select *
  from (
    select changes.*, row_number() over (partition by item_key, step order by event_id) as place
    from changes
  ) as places
  where place = 1
),
linked as (
  select
    chain.previous_state,
    chain.entry_state,
    chain.exit_state,
    chain.imbalance,
    firsts.item_key,
    firsts.step,
    firsts.step_changes,
    firsts.event_id,
    firsts.event_name,
    firsts.event_time,
    firsts.event_time_us
  from chain
  join firsts
    on firsts.item_key = chain.item_key
    and firsts.step = chain.step
),
findings as (
  select
    'GAP' as finding,
    item_key,
    event_id,
    event_time,
    previous_state as expected_state,
    entry_state as found_state,
    1 as changes,
    event_time_us
  from linked
  where step > 1
    and previous_state <> entry_state
    and previous_state <> 'unknown'
    and entry_state <> 'unknown'
  union all
  select 'PRE-ARCHIVE', item_key, event_id, event_time, 'absent', entry_state, 1, event_time_us
  from linked
  where step = 1
    and event_name <> 'BASELINE'
    and entry_state not in ('absent', 'unknown')
  union all
  select 'UNRESOLVED-ORDER', item_key, event_id, event_time, null, null, cast(step_changes as integer), event_time_us
  from linked
  where imbalance > 2
    or (step = 1 and imbalance = 0)
  union all
  select 'KEYS-ONLY', item_key, min(event_id), min(event_time), null, null, cast(count(*) as integer), min(event_time_us)
  from changes
  where old_state = 'unknown'
    or new_state = 'unknown'
  group by item_key
  union all
  select 'CONFLICT', item_key, event_id, event_time, null, null, cast(repeats + 1 as integer), event_time_us
  from changes
  where conflict
  union all
  select 'DUPLICATE', item_key, event_id, event_time, null, null, cast(repeats as integer), event_time_us
  from changes
  where repeats > 0
    and not conflict
)
select finding, item_key, event_id, event_time, expected_state, found_state, changes, event_time_us
from findings
order by finding, event_time_us, item_key, event_id
