-- @question How did one attribute of one item change over time?
-- @empty this attribute of this item never changed
-- @parameter item_key item example=ORD12345 -- the item's key
-- @parameter attribute attribute default=status example=status -- an attribute, or a path as history prints it
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY, REMOVE or BASELINE
-- @column attribute varchar -- the attribute
-- @column old_value varchar -- its value before in DynamoDB JSON, null where absent or where no image tells it, as of
--   a first change that found the item there without one
-- @column new_value varchar -- its value after
-- @column actor varchar -- who, as far as the record tells
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where item_key = :item_key
),
{ordered},
{attribute-changes}
select
  event_time,
  event_name,
  attribute,
  value_before as old_value,
  value_after as new_value,
  actor,
  event_time_us,
  event_id
from compared
where value_before is distinct from value_after
order by step, event_id
