-- @question Which items took a step from status to status that their life cycle forbids?
-- @empty every step in the period is one that the life cycle allows
-- @parameter attribute attribute default=status example=status preset=lifecycle -- the attribute that holds the
--   status, a string, or its path as history prints it
-- @parameter allowed steps example=[["PENDING","PROCESSING"]] preset=lifecycle -- the steps allowed, as JSON pairs
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when the item took the step, UTC
-- @column item_key varchar -- the item
-- @column from_status varchar -- the status before
-- @column to_status varchar -- the status after
-- @column actor varchar -- who, as far as the record tells
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name = 'MODIFY'
),
{unrepeated},
steps_of as (
  select
    unrepeated.event_time,
    unrepeated.item_key,
    json_format(element_at(cast(json_parse(unrepeated.old_image) as map(varchar, json)), t.attribute)) as old_value,
    json_format(element_at(cast(json_parse(unrepeated.new_image) as map(varchar, json)), t.attribute)) as new_value,
    unrepeated.actor,
    unrepeated.event_time_us,
    unrepeated.event_id
  from unrepeated
  cross join unnest(unrepeated.changed) as t(attribute)
  where t.attribute = :attribute
)
select
  event_time,
  item_key,
  json_extract_scalar(old_value, '$.S') as from_status,
  json_extract_scalar(new_value, '$.S') as to_status,
  actor,
  event_time_us,
  event_id
from steps_of
-- both values are {"S":"..."}: what stands between the braces' colon and end is the status as JSON text
where old_value like '{"S":%'
  and new_value like '{"S":%'
  and strpos(
    :allowed,
    '[' || substr(old_value, 6, length(old_value) - 6) || ',' || substr(new_value, 6, length(new_value) - 6) || ']'
  ) = 0
order by event_time_us, item_key, event_id
