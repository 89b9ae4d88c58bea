-- @question Who called for each change, by the calls that CloudTrail keeps?
-- @empty nothing changed in the period
-- @parameter key text default= example="order_id":{"S":"ORD12345"} -- what the items' keys have in common, as item_key
--   writes it; empty for all items
-- @parameter from instant example=2026-11-19T00:00:00Z -- first moment
-- @parameter to instant example=2026-11-20T00:00:00Z -- the moment after the last
-- @days from=from-1 to=to+1
-- @reads calls
-- @actor today
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_name varchar -- INSERT, MODIFY or REMOVE
-- @column item_key varchar -- the item
-- @column verdict varchar -- certain: one caller can have made it; one of n: each of them can have; possible: a call
--   can have, and nothing says that it was for this change; none: no call can have, and the trail shows others of the
--   same quarter of an hour, or of those beside it; declared: the same, and the item names an actor; pending:
--   CloudTrail may still deliver a call; not covered: nothing shows that it recorded then, or that its files of then
--   are here
-- @column callers bigint -- how many callers can have made it
-- @column caller varchar -- who made the call of this row, as AWS attests it
-- @column fit varchar -- why the call is here: key (it names the item), unknown key (nobody can tell; or the service
--   failed, which may have written), other attributes (it wrote others, and does not count), failed (an attempt, and
--   does not count), stream (the record itself names it)
-- @column actor varchar -- who, as far as the record tells
-- @column operation varchar -- what was called
-- @column call_time varchar -- when CloudTrail says that the call ended: ISO 8601, UTC, in whole seconds
-- @column error varchar -- why it failed
-- @column calls bigint detail -- how many calls can have made it
-- @column role varchar detail -- the role behind the session that called
-- @column source_identity varchar detail -- who took on the first of its roles, where that was said
-- @column invoked_by varchar detail -- the service that called for somebody
-- @column source_ip varchar detail -- from where
-- @column user_agent varchar detail -- with what
-- @column request_id varchar detail -- the request
-- @column call_id varchar detail -- eventID in CloudTrail
-- @column changed array(varchar) detail -- attributes that differ
-- @column actor_source varchar detail -- where actor was found
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column event_id varchar detail -- identifies the change
-- A call ended within 3 s of the change, by clocks that floor to the second; CloudTrail delivers within some 5 minutes,
-- and promises nothing: of a change whose next quarter of an hour it does not show, nothing is said for certain.
-- what was changed some seconds before and after is read, too: a call may have been for that
with arrived as (
  select *
  from {changes}
  where event_date >= {day-before :from}
    and event_date <= {day-after :to}
    and event_time_us >= {us :from} - 6000000
    and event_time_us < {us :to} + 6000000
    and (:key = '' or strpos(item_key, :key) > 0)
    and event_name <> 'BASELINE'
),
{unrepeated},
{near-calls},
paired as (
  select
    {pair-columns}
  from told_keys
  left join near
    on {pair-condition}
),
{fitted-pairs},
recording as (
  select
    awsregion,
    called_arn,
    regexp_replace(called_arn, '\A[^/]*', '') as called_name,
    to_unixtime(from_iso8601_timestamp_nanos(eventtime)) as call_s
  from {calls}
  cross join unnest(
    regexp_extract_all(json_format(cast(resources as json)), 'arn:[^"/]*table/[A-Za-z0-9_.-]+')
  ) as t (called_arn)
  where day >= replace({day-before :from}, '-', '/')
    and day <= replace({day-after :to}, '-', '/')
    and {write-calls}
),
-- the quarters of an hour in which the trail shows writes of a table. A table goes by its ARN, and where no row tells
-- that by its region and name, or by its name alone; each region's trail of an account by itself
quarters as (
  select
    case told_as
      when 'arn' then regexp_replace(called_arn, 'table/[A-Za-z0-9_.-]+\z', '')
      when 'region' then awsregion
      else ''
    end as trail_place,
    case told_as
      when 'arn' then called_arn
      when 'region' then awsregion || called_name
      else called_name
    end as recorded,
    cast(call_s as bigint) / 900 as quarter,
    min(call_s) as first_call,
    max(call_s) as last_call
  from recording
  cross join unnest(array['arn', 'region', 'name']) as t (told_as)
  group by 1, 2, 3
),
-- since when the trail shows that it records writes of a table, and until when it has delivered
trail as (
  select
    recorded,
    min(first_call) as first_call,
    max(max(last_call)) over (partition by trail_place) as last_call,
    array_agg(quarter) as quarters
  from quarters
  group by recorded, trail_place
),
tallied as (
  select
    fitted.*,
    count_if(coalesce(fit, '') in ('key', 'unknown key')) over (partition by event_id) as calls,
    count_if(coalesce(fit, '') = 'key' and caller <> 'not told') over (partition by event_id) as calls_of_item,
    cardinality(
      array_remove(
        array_distinct(
          array_agg(case when fit in ('key', 'unknown key') then caller else '' end) over (partition by event_id)
        ),
        ''
      )
    ) as callers,
    -- how many changes of its item this one write can have made, of which it made one
    count_if(coalesce(fit, '') = 'key') over (partition by eventid, place) as rivals,
    row_number() over (
      partition by event_id
      order by case when fit is null then 1 else 0 end, call_us, eventid, place
    ) as fit_place
  from fitted
),
weighed as (
  select
    tallied.*,
    max(case when fit = 'key' then rivals end) over (partition by event_id) as most_rivals
  from tallied
)
select
  event_time,
  event_name,
  item_key,
  case
    when fit = 'stream' then 'certain'
    when time_precision = 'arrival' or coalesce(first_call > event_time_us / 1000000 + 3, true) then 'not covered'
    when last_call < event_time_us / 1000000 + 900 then 'pending'
    -- no file of that time may be here; that there was none to deliver nothing says
    when calls = 0 and cardinality(array_intersect(quarters, array[event_time_us / 900000000])) = 0
      and cardinality(
        array_intersect(quarters, array[event_time_us / 900000000 - 1, event_time_us / 900000000 + 1])
      ) < 2
    then 'not covered'
    when calls = 0 and actor is not null then 'declared'
    when calls = 0 then 'none'
    when callers > 1 then 'one of ' || cast(callers as varchar)
    -- as many writes of this very item as changes that they can have made
    when calls_of_item > 0 and calls_of_item >= most_rivals then 'certain'
    else 'possible'
  end as verdict,
  cast(callers as bigint) as callers,
  case when fit = 'stream' then actor when fit is not null then caller end as caller,
  fit,
  actor,
  case when fit is not null then eventname end as operation,
  case when fit is not null then eventtime end as call_time,
  case when fit is not null then errorcode end as error,
  cast(calls as bigint) as calls,
  case when fit is not null then caller_role end as role,
  case when fit is not null then source_identity end as source_identity,
  case when fit is not null then invoked_by end as invoked_by,
  case when fit is not null then sourceipaddress end as source_ip,
  case when fit is not null then useragent end as user_agent,
  case when fit is not null then requestid end as request_id,
  case when fit is not null then eventid end as call_id,
  changed,
  actor_source,
  event_time_us,
  event_id
from weighed
left join trail on recorded = coalesce(table_arn, coalesce(region, '') || '/' || table_name)
where event_time_us >= {us :from}
  and event_time_us < {us :to}
  and (fit is not null or fit_place = 1)
order by event_time_us, item_key, event_id, fit_place
