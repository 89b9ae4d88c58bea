-- @question Which calls wrote to the table, or tried to, with a change and without, by what CloudTrail keeps?
-- @empty the trail shows no such call of the period: nobody called, or it did not record then, or files are missing
-- @parameter from instant example=2026-11-20T14:00:00Z -- first moment
-- @parameter to instant example=2026-11-20T15:00:00Z -- the moment after the last
-- @parameter caller text default= example=role/ops/ -- what the callers' names have in common; empty for all callers
-- @parameter table text preset=table example=Orders -- the table that was called
-- @days from=from-1 to=to+1
-- @reads calls
-- @actor recorded
-- @column call_time varchar -- when CloudTrail says that the call ended: ISO 8601, UTC, in whole seconds
-- @column caller varchar -- who made it, as AWS attests it
-- @column operation varchar -- what was called
-- @column called_key varchar -- the item, as CloudTrail writes its key: without types; null where it does not tell
-- @column error varchar -- why it failed
-- @column changes bigint -- how many changes of the archive it can have made; 0: it failed, or changed nothing, or what
--   it changed has not arrived
-- @column event_id varchar detail -- the change, where it can have made but one
-- @column table_arn varchar detail -- the table that was called, of several all
-- @column role varchar detail -- the role behind the session that called
-- @column source_identity varchar detail -- who took on the first of its roles, where that was said
-- @column invoked_by varchar detail -- the service that called for somebody
-- @column source_ip varchar detail -- from where
-- @column user_agent varchar detail -- with what
-- @column request_id varchar detail -- the request
-- @column call_id varchar detail -- eventID in CloudTrail
-- @column entry bigint detail -- which of the writes of that one call, from 0
-- A call of several writes is here once for each of them. What was changed 3 s before and after a call is looked at.
with arrived as (
  select *
  from {changes}
  where event_date >= {day-before :from}
    and event_date <= {day-after :to}
    and event_time_us >= {us :from} - 6000000
    and event_time_us < {us :to} + 6000000
    and event_name <> 'BASELINE'
),
{unrepeated},
{near-calls},
paired as (
  select
    {pair-columns}
  from told_keys
  right join near
    on {pair-condition}
),
{fitted-pairs}
select
  min(eventtime) as call_time,
  min(caller) as caller,
  min(eventname) as operation,
  min(key_text) as called_key,
  min(errorcode) as error,
  count(distinct case when fit in ('key', 'unknown key') then event_id end) as changes,
  case
    when count(distinct case when fit in ('key', 'unknown key') then event_id end) = 1
      then min(case when fit in ('key', 'unknown key') then event_id end)
  end as event_id,
  array_join(array_sort(array_distinct(regexp_extract_all(min(resource_text), 'arn:[^"]*'))), ' ') as table_arn,
  min(caller_role) as role,
  min(source_identity) as source_identity,
  min(invoked_by) as invoked_by,
  min(sourceipaddress) as source_ip,
  min(useragent) as user_agent,
  min(requestid) as request_id,
  eventid as call_id,
  place as entry
from fitted
where call_us >= {us :from}
  and call_us < {us :to}
  and makes <> ''
  and (:caller = '' or strpos(caller, :caller) > 0)
  and (
    entry_table = :table
    or strpos(entry_table || '"', 'table/' || :table || '"') > 0
    or (entry_table is null and strpos(resource_text, 'table/' || :table || '"') > 0)
  )
group by eventid, place
order by call_time, call_id, entry
