-- @question How did one attribute of one item change over time?
-- @empty this attribute of this item never changed
-- @parameter item_key item example=ORD12345 -- the item's key
-- @parameter attribute text default=status example=status -- a top-level attribute
-- @column event_time -- when DynamoDB made the change, UTC
-- @column event_name -- INSERT, MODIFY, REMOVE or BASELINE
-- @column attribute -- the attribute
-- @column old_value -- its value before in DynamoDB JSON, null where absent
-- @column new_value -- its value after
-- @column actor -- who, as far as the record tells
-- @column event_time_us detail -- event_time in microseconds since 1970
-- @column event_id detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where item_key = :item_key
),
{ordered},
values_of as (
  select
    changes.step,
    changes.event_time,
    changes.event_name,
    t.attribute,
    json_format(element_at(cast(json_parse(changes.old_image) as map(varchar, json)), t.attribute)) as old_value,
    json_format(element_at(cast(json_parse(changes.new_image) as map(varchar, json)), t.attribute)) as new_value,
    changes.old_image is null and changes.event_name <> 'INSERT' as old_untold,
    changes.new_image is null and changes.event_name <> 'REMOVE' as new_untold,
    changes.actor,
    changes.event_time_us,
    changes.event_id
  from changes
  cross join unnest(array_distinct(
    map_keys(cast(json_parse(coalesce(changes.old_image, '{}')) as map(varchar, json)))
    || map_keys(cast(json_parse(coalesce(changes.new_image, '{}')) as map(varchar, json)))
  )) as t(attribute)
  where t.attribute = :attribute
    and not changes.ahead
),
-- a baseline does not tell what was before, nor does a view type without that image: then the nearest change does
compared as (
  select
    values_of.*,
    case when old_untold then lag(new_value) over (order by step, event_id) else old_value end as value_before,
    case
      when new_untold then coalesce(lead(old_value) over (order by step, event_id), old_value)
      else new_value
    end as value_after
  from values_of
)
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
