-- @question Which changes were made outside working hours?
-- @empty every change in the period was made within the hours
-- @parameter opens clock default=08:00 example=08:00 -- when the hours begin, by the clock of the zone
-- @parameter closes clock default=18:00 example=18:00 -- when they end; earlier than opens, they go on past midnight
-- @parameter zone zone default=UTC example=Europe/Berlin -- whose clock counts
-- @parameter days days default=mon,tue,wed,thu,fri example=mon-fri -- the days that have these hours, by the clock
-- @parameter from instant default=1970-01-01T00:00:00Z example=2026-11-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z example=2026-12-01T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column item_key varchar -- the item
-- @column changed array(varchar) -- attributes that differ
-- @column actor varchar -- who, as far as the record tells
-- @column actor_source varchar -- where actor was found
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
-- A day without these hours is outside as a whole. Of hours past midnight what is after it counts by the new day.
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
select event_time, event_name, item_key, changed, actor, actor_source, event_time_us, event_id
from unrepeated
where strpos(
    :days,
    substr('montuewedthufrisatsun', 3 * day_of_week(at_timezone(from_unixtime(event_time_us / 1000000), :zone)) - 2, 3)
  ) = 0
  -- within are two of three: after it opens, before it closes, and a night between
  or case
      when substr(cast(at_timezone(from_unixtime(event_time_us / 1000000), :zone) as varchar), 12, 5) >= :opens then 1
      else 0
    end
    + case
      when substr(cast(at_timezone(from_unixtime(event_time_us / 1000000), :zone) as varchar), 12, 5) < :closes then 1
      else 0
    end
    + case when :closes <= :opens then 1 else 0 end
    < 2
order by event_time_us, item_key, event_id
