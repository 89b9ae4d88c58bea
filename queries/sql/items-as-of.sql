-- @question Which items had a given value in a configured column at a moment?
-- @empty no item had this value at that moment
-- @identifier column -- one of the configured columns, without new_
-- @parameter at instant example=2026-11-19T12:00:00Z -- the moment; changes at it are included
-- @parameter value text example=SHIPPED -- the value, as text
-- @parameter gone items default={} preset=facts -- items that were gone, since a complete baseline lacks them: a JSON
--   object whose names are the time of the last change in microseconds, a space, the item's key
-- @days to=at+1
-- @states from=at to=at
-- @actor today
-- @column item_key varchar -- the item
-- @column event_time timestamp -- since when, UTC
-- @column actor varchar -- who made the change that led here
-- @column image varchar detail -- the item in DynamoDB JSON
-- @column image_hash varchar detail -- SHA-256 of image
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change that led here
-- That an item was gone which a complete baseline lacks, the archive's facts tell; without them, as in Athena's
-- console, it does not know.
with {until-then},
{last-changes}
select item_key, event_time, actor, new_image as image, new_hash as image_hash, event_time_us, event_id
from last_changes
where new_state = exit_state
  and cast({column} as varchar) = :value
  and {not-gone}
order by item_key
