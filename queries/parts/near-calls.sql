-- From `unrepeated` (each change once) and the calls of the days around a period to `told_keys` (each change with its
-- key taken apart) and `near` (what each call asked DynamoDB to write, at the seconds where a change may be its own).

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
)
