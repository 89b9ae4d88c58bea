-- From `arrived` (rows of the archive) to the order of each item's changes.

-- of rows with one event_id the least counts; `conflict` tells rows that say different things under one configuration
counted as (
  select
    arrived.*,
    row_number() over (partition by event_id order by event_time_us, row_hash, arrived_at) as repeat_number,
    count(*) over (partition by event_id) - 1 as repeats,
    time_precision <> 'arrival' and (
      min(row_hash) over (partition by event_id, config_id) <> max(row_hash) over (partition by event_id, config_id)
    ) as config_conflict
  from arrived
),
judged as (
  select
    counted.*,
    max(case when config_conflict then 1 else 0 end) over (partition by event_id) = 1 as conflict
  from counted
),
-- the states that a change leaves and enters: an image's hash, `absent`, or `unknown` where the view type keeps no image
placed as (
  select
    judged.*,
    case
      when old_hash is not null then old_hash
      when event_name = 'INSERT' then 'absent'
      when event_name = 'BASELINE' then new_hash
      else 'unknown'
    end as old_state,
    case
      when new_hash is not null then new_hash
      when event_name = 'REMOVE' then 'absent'
      else 'unknown'
    end as new_state,
    min(event_time_us) over (partition by item_key, source) as source_began_us,
    case
      when sequence is null then event_time_us
      else max(event_time_us) over (
        partition by item_key, source, sequence is null
        order by sequence
        rows between unbounded preceding and current row
      )
    end as order_us
  from judged
  where repeat_number = 1
),
-- a step is one change, or a tie group: changes of one source and time without a sequence
numbered as (
  select
    placed.*,
    dense_rank() over (
      partition by item_key
      order by order_us, source_began_us, source, coalesce(sequence, '')
    ) as step
  from placed
),
changes as (
  select
    numbered.*,
    count(*) over (partition by item_key, step) as step_changes
  from numbered
),
-- in a tie group, how much oftener each state was entered than left
balances as (
  select item_key, step, state, sum(moved) as balance
  from (
    select item_key, step, new_state as state, 1 as moved
    from changes
    where step_changes > 1
    union all
    select item_key, step, old_state as state, -1 as moved
    from changes
    where step_changes > 1
  ) as moves
  group by item_key, step, state
),
-- imbalance 2: one way through the step; 0: a closed loop, which starts and ends in the state before it; more: broken
steps as (
  select item_key, step, old_state as entry_state, new_state as exit_state, 2 as imbalance
  from changes
  where step_changes = 1
  union all
  select
    item_key,
    step,
    max(case when balance < 0 then state end) as entry_state,
    max(case when balance > 0 then state end) as exit_state,
    cast(sum(abs(balance)) as integer) as imbalance
  from balances
  group by item_key, step
),
walked as (
  select
    steps.*,
    max(case when imbalance > 0 then step end) over (
      partition by item_key
      order by step
      rows between unbounded preceding and 1 preceding
    ) as known_step
  from steps
),
-- each step with the state before it; a closed loop that does not hold the state before it leads nowhere we know
chain as (
  select
    walked.item_key,
    walked.step,
    walked.imbalance,
    previous.exit_state as previous_state,
    case
      when walked.imbalance > 0 then walked.entry_state
      when balances.state is not null then balances.state
      else 'unlinked'
    end as entry_state,
    case
      when walked.imbalance > 0 then walked.exit_state
      when balances.state is not null then balances.state
      else 'unknown'
    end as exit_state
  from walked
  left join steps as previous
    on previous.item_key = walked.item_key
    and previous.step = walked.known_step
  left join balances
    on balances.item_key = walked.item_key
    and balances.step = walked.step
    and balances.state = previous.exit_state
)
