-- @question Which attributes do the items have, of which types, and since when?
-- @empty the archive has no image in the period
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @column attribute varchar -- a top-level attribute
-- @column attribute_type varchar -- its DynamoDB type; an attribute of several types has a row each
-- @column changes bigint -- in how many images after a change
-- @column items bigint -- of how many items
-- @column first_time timestamp -- first seen, UTC
-- @column last_time timestamp -- last seen
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and new_image is not null
),
{unrepeated},
attributes as (
  select
    unrepeated.item_key,
    unrepeated.event_time,
    t.attribute,
    split_part(
      json_format(element_at(cast(json_parse(unrepeated.new_image) as map(varchar, json)), t.attribute)), '"', 2
    ) as attribute_type
  from unrepeated
  cross join unnest(map_keys(cast(json_parse(unrepeated.new_image) as map(varchar, json)))) as t(attribute)
)
select
  attribute,
  attribute_type,
  count(*) as changes,
  count(distinct item_key) as items,
  min(event_time) as first_time,
  max(event_time) as last_time
from attributes
group by attribute, attribute_type
order by attribute, attribute_type
