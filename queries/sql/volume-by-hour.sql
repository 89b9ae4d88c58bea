-- @question How many changes, and how many bytes, came in each hour?
-- @empty nothing changed in the period
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @column hour timestamp -- beginning of the hour, UTC
-- @column changes bigint -- how many; rows of a baseline are none
-- @column inserts bigint -- of these INSERT
-- @column modifies bigint -- of these MODIFY
-- @column removes bigint -- of these REMOVE
-- @column recorded_bytes bigint -- sum of SizeBytes as DynamoDB recorded it
-- @column image_characters bigint -- length of both images
with arrived as (
  select *
  from {changes}
  where event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
    and event_name <> 'BASELINE'
),
{unrepeated}
select
  date_trunc('hour', event_time) as hour,
  count(*) as changes,
  cast(count_if(event_name = 'INSERT') as bigint) as inserts,
  cast(count_if(event_name = 'MODIFY') as bigint) as modifies,
  cast(count_if(event_name = 'REMOVE') as bigint) as removes,
  cast(sum(size_bytes) as bigint) as recorded_bytes,
  cast(sum(coalesce(length(old_image), 0) + coalesce(length(new_image), 0)) as bigint) as image_characters
from unrepeated
group by date_trunc('hour', event_time)
order by hour
