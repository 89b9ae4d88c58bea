-- @question Where does a change not leave the image that the one before it entered, and what are the two images?
-- @empty none
-- @column item_key varchar -- the item
-- @column event_id varchar -- the change at which it shows
-- @column before_image varchar -- the image that the change before entered
-- @column before_hash varchar -- its hash, as the row says
-- @column before_config varchar -- the configuration that its row was made under
-- @column after_image varchar -- the image that the change left
-- @column after_hash varchar -- its hash, as the row says
-- @column after_config varchar -- the configuration that its row was made under
with taken as (
  select *
  from {changes}
),
{linked},
arrived as (
  select *
  from linked_items
  where linked = 0
),
{ordered},
with_before as (
  select
    changes.*,
    -- what led into the state before, as `previous_state` is found
    substr(
      max(
        case
          when imbalance > 0 and not ahead and new_state = way_out
            then lpad(cast(step as varchar), 12, '0') || config_id || ' ' || coalesce(new_image, '')
        end
      ) over (
        partition by item_key
        order by step
        range between unbounded preceding and 1 preceding
      ),
      13
    ) as before_row
  from changes
)
select
  item_key,
  event_id,
  substr(before_row, strpos(before_row, ' ') + 1) as before_image,
  previous_state as before_hash,
  substr(before_row, 1, strpos(before_row, ' ') - 1) as before_config,
  coalesce(old_image, new_image) as after_image,
  entry_state as after_hash,
  config_id as after_config
from with_before
where step_changes = 1
  and previous_state <> entry_state
  and length(previous_state) = 64
  and length(entry_state) = 64
order by item_key, event_id
