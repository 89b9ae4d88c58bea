-- From `changes` to what one top-level attribute was before and after each of them, in DynamoDB JSON.

values_of as (
  select
    changes.item_key,
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
    case
      when old_untold then lag(new_value) over (partition by item_key order by step, event_id)
      else old_value
    end as value_before,
    case
      when new_untold then coalesce(lead(old_value) over (partition by item_key order by step, event_id), old_value)
      else new_value
    end as value_after
  from values_of
)
