-- @question What did the whole table hold at a moment?
-- @empty no item of the table was there at that moment
-- @parameter at instant example=2026-11-19T12:00:00Z -- the moment; changes at it are included
-- @parameter gone items default={} preset=facts -- items that were gone, since a complete baseline lacks them: a JSON
--   object whose names are the time of the last change in microseconds, a space, the item's key
-- @parameter seen instant default=1970-01-01T00:00:00Z preset=facts -- the newest complete baseline up to the moment:
--   an item whose state is unknown and that did not change since was gone
-- @days to=at+1
-- @states from=at to=at
-- @actor today
-- @column item_key varchar -- the item
-- @column state varchar -- present, or unknown where the view type keeps no image or the order cannot be told
-- @column image varchar detail -- the item in DynamoDB JSON
-- @column image_hash varchar detail -- SHA-256 of image
-- @column event_id varchar detail -- the change that led here
-- @column event_name varchar -- its kind
-- @column event_time timestamp -- when it was made, UTC
-- @column event_time_us bigint detail -- the same in microseconds since 1970
-- @column time_precision varchar detail -- s, ms, us or arrival
-- @column actor varchar -- who made it
-- @column unresolved boolean -- true where changes of one time contradict one another
-- That an item was gone which a complete baseline lacks, the archive's facts tell; without them, as in Athena's
-- console, it does not know.
with {until-then},
{last-states}
select *
from last_states
where state <> 'deleted'
  and {not-gone}
  and (state <> 'unknown' or event_time_us is null or event_time_us > {us :seen})
order by item_key
