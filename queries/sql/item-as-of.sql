-- @question What was one item at a moment?
-- @empty the archive has no change of this item up to that moment
-- @parameter item_key item example=ORD12345 -- the item's key
-- @parameter at instant example=2026-11-19T12:00:00Z -- the moment; changes at it are included
-- @days to=at+1
-- @without-facts at
-- @actor today
-- @column item_key varchar -- the item
-- @column state varchar -- present, deleted, or unknown where the view type keeps no image or the order cannot be told
-- @column image varchar detail -- the item in DynamoDB JSON
-- @column image_hash varchar detail -- SHA-256 of image
-- @column event_id varchar detail -- the change that led here
-- @column event_name varchar -- its kind
-- @column event_time timestamp -- when it was made, UTC
-- @column event_time_us bigint detail -- the same in microseconds since 1970
-- @column time_precision varchar detail -- s, ms, us or arrival
-- @column actor varchar -- who made it
-- @column unresolved boolean -- true where changes of one time contradict one another
-- It reads rows, and no facts: that an item was gone which a later complete baseline lacks, it does not know.
with arrived as (
  -- a day more, because the changes after a baseline tell whether it was ahead
  select *
  from {changes}
  where item_key = :item_key
    and event_date <= {day-after :at}
    and event_time_us <= {us :at} + 86400000000
),
{ordered},
until_then as (
  select *
  from changes
  where event_time_us <= {us :at}
),
{last-states}
select *
from last_states
