-- @question For each attribute of an item: who changed it last, and when?
-- @empty the archive has no change of this item with both images, up to that moment
-- @parameter item_key item example=ORD12345 -- the item's key
-- @parameter attribute attribute default= example=shipping.city -- of one attribute only, or of a path as history
--   prints it
-- @parameter at instant default=9999-12-31T00:00:00Z -- the moment; changes at it are included
-- @days to=at
-- @actor today
-- @column attribute varchar -- an attribute, or the path
-- @column value varchar -- its value in DynamoDB JSON, null where it was removed
-- @column event_time timestamp -- when it was changed last, UTC
-- @column event_name varchar -- by what kind of change
-- @column actor varchar -- by whom, as far as the record tells
-- @column actor_source varchar -- where actor was found
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
with arrived as (
  select *
  from {changes}
  where item_key = :item_key
    and event_date <= {day :at}
    and event_time_us <= {us :at}
),
{ordered},
touched as (
  select
    changes.*,
    t.attribute,
    row_number() over (partition by t.attribute order by step desc, event_id) as from_last
  from changes
  cross join unnest(changes.changed) as t(attribute)
  where :attribute = ''
    or t.attribute = :attribute
)
select
  attribute,
  json_format(element_at(cast(json_parse(new_image) as map(varchar, json)), attribute)) as value,
  event_time,
  event_name,
  actor,
  actor_source,
  event_time_us,
  event_id
from touched
where from_last = 1
order by attribute
