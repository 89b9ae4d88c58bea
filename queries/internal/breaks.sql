-- @question Where does a change not leave the image that the one before it entered, and what are the two images? And
--   of which changes are there rows that differ only by the keys under which they were sealed?
-- @empty none
-- @column item_key varchar -- the item
-- @column event_id varchar -- the change at which it shows
-- @column is_break boolean -- true where it does not leave what the one before entered
-- @column is_resealed boolean -- true where its rows differ by keys only
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
delivered as (
  select *
  from linked_items
  where linked = 0
),
{contradicted},
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
),
found as (
  select
    with_before.*,
    step_changes = 1
      and previous_state <> entry_state
      and length(previous_state) = 64
      and length(entry_state) = 64 as is_break,
    conflict and not contradicted as is_resealed
  from with_before
)
select
  item_key,
  event_id,
  coalesce(is_break, false) as is_break,
  is_resealed,
  substr(before_row, strpos(before_row, ' ') + 1) as before_image,
  previous_state as before_hash,
  substr(before_row, 1, strpos(before_row, ' ') - 1) as before_config,
  coalesce(old_image, new_image) as after_image,
  entry_state as after_hash,
  config_id as after_config
from found
where is_break or is_resealed
order by item_key, event_id
