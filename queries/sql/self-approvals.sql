-- @question Which items were brought into a state by the very actor who inserted them?
-- @empty nobody brought an item into this state that they had inserted themselves, as far as the archive names both
-- @parameter state text example=CANCELLED -- the value of the attribute, such as APPROVED
-- @parameter attribute attribute default=status example=status preset=lifecycle -- the attribute that holds the state,
--   or its path as history prints it
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment of the approval
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days to=to
-- @actor today
-- @column event_time timestamp -- when the item came into the state, UTC
-- @column item_key varchar -- the item
-- @column found varchar -- same: one actor did both; unknown: nobody is named for one of them, or the archive lacks the
--   item's INSERT
-- @column actor varchar -- who brought it into the state
-- @column inserted_by varchar -- who inserted it last before
-- @column inserted_time timestamp -- when, UTC
-- @column event_name varchar -- MODIFY, or INSERT of an item that was in the state from the beginning
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{ordered},
inserters as (
  select
    changes.*,
    max(
      case when event_name = 'INSERT' then lpad(cast(step as varchar), 12, '0') || coalesce('+' || actor, '') end
    ) over (
      partition by item_key
      order by step, event_id
      rows between unbounded preceding and current row
    ) as inserted,
    max(case when event_name = 'INSERT' then event_time end) over (
      partition by item_key
      order by step, event_id
      rows between unbounded preceding and current row
    ) as inserted_time
  from changes
),
values_of as (
  select
    inserters.*,
    json_format(element_at(cast(json_parse(inserters.old_image) as map(varchar, json)), t.attribute)) as old_value,
    json_format(element_at(cast(json_parse(inserters.new_image) as map(varchar, json)), t.attribute)) as new_value
  from inserters
  cross join unnest(
    map_keys(cast(json_parse(coalesce(inserters.new_image, '{}')) as map(varchar, json)))
  ) as t(attribute)
  where t.attribute = :attribute
),
-- a view type without the old image does not tell what was before: then the change before does
compared as (
  select
    values_of.*,
    nullif(substr(inserted, 14), '') as inserted_by,
    case
      when old_image is null and event_name <> 'INSERT'
        then lag(new_value) over (partition by item_key order by step, event_id)
      else old_value
    end as value_before
  from values_of
)
select
  event_time,
  item_key,
  case when inserted_by = actor then 'same' else 'unknown' end as found,
  actor,
  inserted_by,
  inserted_time,
  event_name,
  event_time_us,
  event_id
from compared
where event_time_us >= {us :from}
  and event_name in ('INSERT', 'MODIFY')
  and coalesce(
    json_extract_scalar(new_value, '$.S'),
    json_extract_scalar(new_value, '$.N'),
    json_extract_scalar(new_value, '$.BOOL')
  ) = :state
  and coalesce(inserted_by = actor, true)
  and value_before is distinct from new_value
order by event_time_us, item_key, event_id
