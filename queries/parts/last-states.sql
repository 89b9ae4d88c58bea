-- From `until_then` to the state that each item is in after its last step.
{last-changes},
last_states as (
  select
    item_key,
    {state-left} as state,
    case when new_state = exit_state then new_image end as image,
    case when new_state = exit_state then new_hash end as image_hash,
    case when new_state = exit_state then event_id end as event_id,
    case when new_state = exit_state then event_name end as event_name,
    case when new_state = exit_state then event_time end as event_time,
    case when new_state = exit_state then event_time_us end as event_time_us,
    case when new_state = exit_state then time_precision end as time_precision,
    case when new_state = exit_state then actor end as actor,
    unresolved
  from last_changes
)
