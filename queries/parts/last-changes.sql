-- From `changes` to one change of each item's last step, one that led into the state after it where there is one. In a tie
-- group several can have; they hold the same image.
entering as (
  select
    changes.*,
    row_number() over (
      partition by item_key
      order by step desc, case when new_state = exit_state then 0 else 1 end, event_id
    ) as choice
  from changes
),
last_changes as (
  select *
  from entering
  where choice = 1
)
