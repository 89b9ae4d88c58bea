-- From `arrived` (rows of the archive) to each change once, with the states that it leaves and enters: an image's hash,
-- `absent`, or `unknown` where the view type keeps no image.
{unrepeated},
stated as (
  select
    unrepeated.*,
    case
      when old_hash is not null then old_hash
      when event_name = 'INSERT' then 'absent'
      when event_name = 'BASELINE' then coalesce(new_hash, 'unknown')
      else 'unknown'
    end as old_state,
    case
      when new_hash is not null then new_hash
      when event_name = 'REMOVE' then 'absent'
      else 'unknown'
    end as new_state
  from unrepeated
)
