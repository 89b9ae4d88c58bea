-- @question Which changes moved an amount by more than so much?
-- @empty no change in the period moved the amount by more
-- @parameter attribute attribute example=total -- the attribute that is a number, or its path as history prints it
-- @parameter amount amount example=100 -- by more than this, up or down
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, which counts from 0, MODIFY, or REMOVE, which counts to 0
-- @column item_key varchar -- the item
-- @column old_value varchar -- the attribute before in DynamoDB JSON, null where absent or where no image tells it
-- @column new_value varchar -- the attribute after
-- @column difference decimal(38,10) -- by how much; null where nobody can tell, because a value is no number, or has
--   more than 24 digits before the point or 10 behind it, or the stream kept no image: such changes are all shown
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
    and event_name <> 'BASELINE'
),
{amounts}
select event_time, event_name, item_key, old_value, new_value, difference, actor, event_time_us, event_id
from amounts
where difference is null
  or abs(difference) > cast(:amount as decimal(38, 10))
order by event_time_us, item_key, event_id
