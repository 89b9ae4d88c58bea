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
with told as (
  select *, cast(json_parse(new_image) as map(varchar, json)) as attributes
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and new_image is not null
),
-- what an image is like is a few words, and most images of an item are alike: so no image goes any further
arrived as (
  select
    item_key,
    event_id,
    event_time,
    event_time_us,
    row_hash,
    arrived_at,
    -- the type goes first: no type has a space in it, and names may
    transform(
      map_keys(attributes),
      name -> split_part(substr(json_format(element_at(attributes, name)), 1, 7), '"', 2) || ' ' || name
    ) as shape
  from told
),
-- which of a change's rows counts, as everywhere; whether they say different things is no matter here
numbered as (
  select
    arrived.*,
    row_number() over (partition by event_id order by event_time_us, row_hash, arrived_at) as repeat_number
  from arrived
),
shapes as (
  select
    item_key,
    shape,
    count(*) as changes,
    min(event_time) as first_time,
    max(event_time) as last_time
  from numbered
  where repeat_number = 1
  group by item_key, shape
)
select
  substr(t.attribute, strpos(t.attribute, ' ') + 1) as attribute,
  split_part(t.attribute, ' ', 1) as attribute_type,
  cast(sum(changes) as bigint) as changes,
  count(distinct item_key) as items,
  min(first_time) as first_time,
  max(last_time) as last_time
from shapes
cross join unnest(shape) as t(attribute)
group by t.attribute
order by attribute, attribute_type
