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
--   can have, and nothing says that it was for this change; none: no call can have; declared: none can have, and the
--   item names an actor; pending: CloudTrail may still deliver a call; not covered: nothing shows that it recorded then
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
called as (
  select
    eventid,
    sharedeventid,
    requestid,
    eventname,
    eventtime,
    errorcode,
    useridentity,
    sourceipaddress,
    useragent,
    awsregion,
    json_format(cast(resources as json)) as resource_text,
    cast(round(to_unixtime(from_iso8601_timestamp_nanos(eventtime)) * 1000000) as bigint) as call_us,
    try(cast(json_parse(requestparameters) as map(varchar, json))) as parameters
  from {calls}
  where day >= replace({day-before :from}, '-', '/')
    and day <= replace({day-after :to}, '-', '/')
    and {write-calls}
),
{call-entries},
recording as (
  select
    eventtime,
    awsregion,
    called_arn,
    regexp_replace(called_arn, '\A[^/]*', '') as called_name
  from {calls}
  cross join unnest(
    regexp_extract_all(json_format(cast(resources as json)), 'arn:[^"/]*table/[A-Za-z0-9_.-]+')
  ) as t (called_arn)
  where day >= replace({day-before :from}, '-', '/')
    and day <= replace({day-after :to}, '-', '/')
    and {write-calls}
),
-- since when the trail shows that it records writes of a table, and until when it has delivered: each region's trail by
-- itself. A table goes by its ARN, and where no row tells that by its region and name, or by its name alone
trail as (
  select
    recorded,
    min(to_unixtime(from_iso8601_timestamp_nanos(eventtime))) as first_call,
    max(max(to_unixtime(from_iso8601_timestamp_nanos(eventtime)))) over (partition by trail_region) as last_call
  from (
    select eventtime, awsregion as trail_region, called_arn as recorded from recording
    union all
    select eventtime, awsregion, awsregion || called_name from recording
    union all
    select eventtime, '', called_name from recording
  ) as told
  group by recorded, trail_region
),
-- of the key its attributes, and what a write of each kind has to have written
keyed as (
  select
    event_id,
    event_time,
    event_time_us,
    event_name,
    item_key,
    changed,
    actor,
    actor_source,
    table_name,
    region,
    time_precision,
    cast(json_parse(item_key) as map(varchar, json)) as key_values,
    map_keys(cast(json_parse(item_key) as map(varchar, json))) as key_names,
    case
      when source like 'arn:%' then regexp_replace(source, '\A([^/]*/[^/]*)(/[\s\S]*|)\z', '$1')
    end as table_arn,
    case
      when event_name <> 'REMOVE' then map_keys(cast(json_parse(new_image) as map(varchar, json)))
    end as left_names
  from unrepeated
),
told_keys as (
  select
    keyed.*,
    element_at(key_names, 1) as name1,
    element_at(key_names, 2) as name2,
    json_extract_scalar(element_at(key_values, element_at(key_names, 1)), '$.S') as text1,
    json_extract_scalar(element_at(key_values, element_at(key_names, 2)), '$.S') as text2,
    json_extract_scalar(element_at(key_values, element_at(key_names, 1)), '$.N') as number1,
    json_extract_scalar(element_at(key_values, element_at(key_names, 2)), '$.N') as number2
  from keyed
),
-- a second's calls stand in its own four seconds and in those beside, so that what is near is found by equality
near as (
  select
    call_us / 4000000 + shift as four_seconds,
    entries.*
  from entries
  cross join unnest(array[-1, 0, 1]) as t (shift)
),
paired as (
  select
    told_keys.*,
    near.call_us,
    near.eventid,
    near.requestid,
    near.place,
    near.eventname,
    near.eventtime,
    near.operation,
    near.errorcode,
    near.written,
    near.put_names,
    near.sourceipaddress,
    near.useragent,
    near.useridentity.sessioncontext.sessionissuer.arn as caller_role,
    near.useridentity.sessioncontext.sourceidentity as source_identity,
    near.useridentity.invokedby as invoked_by,
    coalesce(
      near.useridentity.arn,
      near.useridentity.accountid || ' ' || near.useridentity.principalid,
      near.useridentity.principalid,
      near.useridentity.invokedby,
      'not told'
    ) as caller,
    coalesce(
      json_extract_scalar(element_at(near.call_key, name1), '$'),
      json_extract_scalar(element_at(near.call_key, name1), '$.S'),
      json_extract_scalar(element_at(near.call_key, name1), '$.N')
    ) as called1,
    coalesce(
      json_extract_scalar(element_at(near.call_key, name2), '$'),
      json_extract_scalar(element_at(near.call_key, name2), '$.S'),
      json_extract_scalar(element_at(near.call_key, name2), '$.N')
    ) as called2
  from told_keys
  left join near
    on near.four_seconds = event_time_us / 4000000
    and abs(near.call_us - event_time_us) <= 3000000
    and actor_source <> 'service'
    and time_precision <> 'arrival'
    and strpos(near.makes, event_name) > 0
    -- of another table, or of the same in another region or account
    and (
      near.entry_table is null
      or near.entry_table = table_name
      or strpos(near.entry_table || '"', 'table/' || table_name || '"') > 0
    )
    and coalesce(near.awsregion = region, true)
    and (
      case
        when near.resource_text is null then near.entry_table is not null
        when table_arn is null then strpos(near.resource_text, 'table/' || table_name || '"') > 0
        else strpos(near.resource_text, '"' || table_arn || '"') > 0
      end
    )
    -- what shows at once to be another key, so that a busy table has few pairs
    and (
      near.key_text is null
      or coalesce(not regexp_like(text1, '\A[ !#-\[\]-~]+\z'), true)
      or regexp_like(text1, '\Atoken:[0-9a-f]{32}\z')
      or regexp_like(near.key_text, '\A[\s\S]*(HIDDEN_DUE|\*\*\*)[\s\S]*\z')
      or strpos(near.key_text, text1) > 0
    )
),
-- 1: the same; 0: another; null: nobody can tell
compared as (
  select
    paired.*,
    case
      when regexp_like(called1, '\A(HIDDEN_DUE_TO_SECURITY_REASONS|\*\*\*[\s\S]*)\z') then null
      when regexp_like(text1, '\Atoken:[0-9a-f]{32}\z') or regexp_like(number1, '\A1[0-9]{36}1\z') then null
      when called1 = text1 or called1 = number1 then 1
      when called1 <> text1 then 0
      when regexp_like(called1, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
        and regexp_like(number1, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
      then case when cast(called1 as decimal(38, 10)) = cast(number1 as decimal(38, 10)) then 1 else 0 end
    end as same1,
    case
      when name2 is null then 1
      when regexp_like(called2, '\A(HIDDEN_DUE_TO_SECURITY_REASONS|\*\*\*[\s\S]*)\z') then null
      when regexp_like(text2, '\Atoken:[0-9a-f]{32}\z') or regexp_like(number2, '\A1[0-9]{36}1\z') then null
      when called2 = text2 or called2 = number2 then 1
      when called2 <> text2 then 0
      when regexp_like(called2, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
        and regexp_like(number2, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
      then case when cast(called2 as decimal(38, 10)) = cast(number2 as decimal(38, 10)) then 1 else 0 end
    end as same2
  from paired
),
fitted as (
  select
    compared.*,
    case
      when actor_source = 'service' then 'stream'
      when eventid is null or same1 = 0 or same2 = 0 then null
      -- an error of the service itself does not say that nothing was written
      when errorcode is not null and errorcode not in (
        'InternalServerError', 'InternalServerErrorException', 'InternalFailure', 'ServiceUnavailable'
      ) then 'failed'
      -- UpdateItem changes no attribute that it does not name
      when written is not null
        and (
          (
            event_name = 'MODIFY'
            and changed is not null
            and cardinality(array_intersect(changed, written)) < cardinality(changed)
          )
          or (
            event_name = 'INSERT'
            and left_names is not null
            and cardinality(array_intersect(left_names, array_distinct(written || key_names))) < cardinality(left_names)
          )
        )
      then 'other attributes'
      -- PutItem leaves the attributes that it names, and no other
      when put_names is not null
        and left_names is not null
        and (
          cardinality(array_intersect(put_names, left_names)) < cardinality(put_names)
          or cardinality(
            array_intersect(left_names, put_names || key_names || {replica-names})
          ) < cardinality(left_names)
        )
      then 'other attributes'
      when same1 = 1 and same2 = 1 and errorcode is null then 'key'
      else 'unknown key'
    end as fit
  from compared
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
