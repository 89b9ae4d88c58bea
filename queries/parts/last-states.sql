-- From `changes` and `chain` to the state that each item is in after its last step.
last_steps as (
  select item_key, max(step) as step
  from chain
  group by item_key
),
-- in a tie group several changes can have led into the state; they hold the same image
entering as (
  select
    chain.item_key,
    chain.exit_state,
    chain.imbalance,
    changes.event_id,
    changes.event_name,
    changes.event_time,
    changes.event_time_us,
    changes.time_precision,
    changes.actor,
    changes.new_image,
    row_number() over (partition by chain.item_key order by changes.event_id) as choice
  from last_steps
  join chain
    on chain.item_key = last_steps.item_key
    and chain.step = last_steps.step
  left join changes
    on changes.item_key = chain.item_key
    and changes.step = chain.step
    and changes.new_state = chain.exit_state
),
last_states as (
  select
    item_key,
    case
      when exit_state = 'absent' then 'deleted'
      when new_image is null then 'unknown'
      else 'present'
    end as state,
    new_image as image,
    case when new_image is not null then exit_state end as image_hash,
    event_id,
    event_name,
    event_time,
    event_time_us,
    time_precision,
    actor,
    imbalance > 2 as unresolved
  from entering
  where choice = 1
)
