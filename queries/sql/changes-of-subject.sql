-- @question What changed of the items that concern one person?
-- @empty the archive has no change that concerns this person in the period
-- @parameter subject text example=5f0c2d3b8a914e6f7081a2b3c4d5e6f7 -- the person's token: itemtrail subject token ID
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY, REMOVE or BASELINE
-- @column item_key varchar -- the item
-- @column changed array(varchar) -- attributes that differ
-- @column actor varchar -- who, as far as the record tells
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
-- @column subjects array(varchar) detail -- the tokens of all persons that it concerns
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and cardinality(array_remove(subjects, :subject)) < cardinality(subjects)
),
{unrepeated}
select event_time, event_name, item_key, changed, actor, event_time_us, event_id, subjects
from unrepeated
order by event_time_us, item_key, event_id
