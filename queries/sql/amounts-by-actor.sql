-- @question By how much did each actor change an amount, in sum?
-- @empty the attribute did not change in the period
-- @parameter attribute attribute example=total -- the attribute that is a number, or its path as history prints it
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column actor varchar -- who, as far as the record tells; null for changes that name nobody
-- @column changes bigint -- how many changes of the attribute
-- @column items bigint -- of how many items
-- @column increase decimal(38,10) -- by how much it grew in sum, an INSERT of an item counting from 0
-- @column decrease decimal(38,10) -- by how much it fell, without a sign; a REMOVE counts to 0
-- @column difference decimal(38,10) -- the increase less the decrease
-- @column not_summed bigint -- how many of the changes are in no sum: a value is no number, or has more than 24 digits
--   before the point or 10 behind it, or the stream kept no image of it, so that it may be one of another attribute
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
select
  actor,
  cast(count(*) as bigint) as changes,
  cast(count(distinct item_key) as bigint) as items,
  cast(coalesce(sum(case when difference > 0 then difference end), 0) as decimal(38, 10)) as increase,
  cast(coalesce(-sum(case when difference < 0 then difference end), 0) as decimal(38, 10)) as decrease,
  cast(coalesce(sum(difference), 0) as decimal(38, 10)) as difference,
  cast(count_if(difference is null) as bigint) as not_summed
from amounts
group by actor
order by actor nulls first
