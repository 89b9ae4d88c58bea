-- From `arrived` (rows of the archive) to the order of each item's changes, in one pass: Trino and Athena read the
-- archive again for each time that a common table expression is named, so each is named once.

{stepped},
grouped as (
  select
    numbered.*,
    count(*) over (partition by item_key, step) as step_changes,
    array_agg(old_state) over (partition by item_key, step) as states_left,
    array_agg(new_state) over (partition by item_key, step) as states_entered,
    max(case when renamed then 1 else 0 end) over (partition by item_key, step) = 1 as step_renamed,
    row_number() over (partition by item_key, step order by event_id) as place_in_step,
    row_number() over (partition by item_key, step, new_state order by event_id) as place_in_state
  from numbered
),
-- how much oftener the state that a change enters (leaves) was entered (left) than the reverse, over its step
balanced as (
  select
    grouped.*,
    cardinality(array_remove(states_left, new_state)) - cardinality(array_remove(states_entered, new_state))
      as entered_surplus,
    cardinality(array_remove(states_entered, old_state)) - cardinality(array_remove(states_left, old_state))
      as left_surplus
  from grouped
),
-- imbalance 1: one way through the step; 0: a closed loop, which starts and ends in the state before it; more: broken
walked as (
  select
    balanced.*,
    case
      when step_changes = 1 then 1
      else sum(case when place_in_state = 1 and entered_surplus > 0 then entered_surplus else 0 end)
        over (partition by item_key, step)
    end as imbalance,
    case
      when step_changes = 1 then old_state
      else max(case when left_surplus > 0 then old_state end) over (partition by item_key, step)
    end as way_in,
    case
      when step_changes = 1 then new_state
      else max(case when entered_surplus > 0 then new_state end) over (partition by item_key, step)
    end as way_out
  from balanced
),
-- what comes after each step: the state that the next write leaves, and when a write enters the same state again
next_known as (
  select
    walked.*,
    coalesce(
      substr(
        min(
          case
            when event_name <> 'BASELINE' and imbalance > 0
              then lpad(cast(step as varchar), 12, '0') || way_in
          end
        ) over (
          partition by item_key
          order by step
          range between 1 following and unbounded following
        ),
        13
      ),
      'unknown'
    ) as next_state,
    min(case when event_name <> 'BASELINE' then order_us end) over (
      partition by item_key, new_state
      order by step
      range between 1 following and unbounded following
    ) as entered_us,
    min(case when event_name <> 'BASELINE' then step end) over (
      partition by item_key
      order by step
      range between unbounded preceding and 1 preceding
    ) is not null as written_before
  from walked
),
-- a baseline that saw what a write within the next 24 hours enters, and not what the first of them leaves, was ahead:
-- it
-- is no step of the chain. An image that is missing there tells nothing, so then a chain before it goes on
ahead_known as (
  select
    next_known.*,
    event_name = 'BASELINE'
      and coalesce(entered_us <= order_us + 86400000000, false)
      and next_state <> new_state
      and (next_state <> 'unknown' or written_before) as ahead
  from next_known
),
-- the state after the last step before this one that was no closed loop
linked as (
  select
    ahead_known.*,
    substr(
      max(case when imbalance > 0 and not ahead then lpad(cast(step as varchar), 12, '0') || way_out end) over (
        partition by item_key
        order by step
        range between unbounded preceding and 1 preceding
      ),
      13
    ) as previous_state
  from ahead_known
),
-- a closed loop that does not hold the state before it leads nowhere we know
changes as (
  select
    linked.*,
    case
      when ahead then coalesce(previous_state, next_state)
      when imbalance > 0 then way_in
      when previous_state is not null
        and cardinality(array_remove(states_left, previous_state)) < step_changes
      then previous_state
      else 'unlinked'
    end as entry_state,
    case
      when ahead then coalesce(previous_state, next_state)
      when imbalance > 0 then way_out
      when previous_state is not null
        and cardinality(array_remove(states_left, previous_state)) < step_changes
      then previous_state
      else 'unknown'
    end as exit_state,
    -- in a loop a change that came under several eventIDs may have been made several times: Kinesis may give a mere
    -- repeat another eventID, too
    imbalance > 1
      or (
        step_renamed
        and step_changes > 1
        and cardinality(array_distinct(states_left || states_entered)) <= step_changes
      ) as unresolved
  from linked
)
