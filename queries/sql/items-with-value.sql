-- @question In which items did a value ever stand, whatever the attribute?
-- @empty no image in the archive has this value
-- @parameter value text example="SHIPPED" -- the value in double quotes, as an image writes it: a text, a number or an
--   element of a set
-- @column item_key varchar -- the item
-- @column changes bigint -- how many changes have it, before or after
-- @column first_time timestamp -- when the first of these was made, UTC
-- @column last_time timestamp -- the last
-- It looks at the text of images, in which the name of an attribute stands in quotes, too: `itemtrail find` tells them
-- apart, and where the value stood from when to when.
with arrived as (
  select *
  from {changes}
  where strpos(coalesce(new_image, ''), :value) > 0
    or strpos(coalesce(old_image, ''), :value) > 0
),
{unrepeated}
select
  item_key,
  cast(count(*) as bigint) as changes,
  min(event_time) as first_time,
  max(event_time) as last_time
from unrepeated
group by item_key
order by item_key
