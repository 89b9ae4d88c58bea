-- @question Who changed one attribute, from what to what, between two moments?
-- @empty the attribute did not change in the period
-- @parameter attribute attribute default=status example=status -- an attribute, or a path as history prints it
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column item_key varchar -- the item
-- @column old_value varchar -- the attribute before in DynamoDB JSON, null where absent
-- @column new_value varchar -- the attribute after
-- @column actor varchar -- who, as far as the record tells
-- @column actor_source varchar -- where actor was found
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{unrepeated}
select
  unrepeated.event_time,
  unrepeated.event_name,
  unrepeated.item_key,
  json_format(element_at(cast(json_parse(unrepeated.old_image) as map(varchar, json)), t.attribute)) as old_value,
  json_format(element_at(cast(json_parse(unrepeated.new_image) as map(varchar, json)), t.attribute)) as new_value,
  unrepeated.actor,
  unrepeated.actor_source,
  unrepeated.event_time_us,
  unrepeated.event_id
from unrepeated
cross join unnest(unrepeated.changed) as t(attribute)
where t.attribute = :attribute
order by event_time_us, item_key, event_id
