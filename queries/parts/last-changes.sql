-- From `until_then`, the changes up to a moment, to one change of each item's last step, one that led into the
-- state after it where there is one. In a tie group several can have; they hold the same image.
entering as (
  select
    until_then.*,
    row_number() over (
      partition by item_key
      order by
        -- a baseline that was ahead tells a state only where there is nothing else
        case when ahead then 1 else 0 end,
        step desc,
        case when new_state = exit_state then 0 else 1 end,
        event_id
    ) as choice
  from until_then
),
last_changes as (
  select *
  from entering
  where choice = 1
    and not (ahead and exit_state = 'absent')
)
