-- @question Is anything missing? Each change must leave the state that the item's change before it entered.
-- @empty no break: from the first to the last change that the archive has of each item, every change leaves the state
--   that the one before entered
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @parameter explained items default={} preset=facts -- breaks that have a reason: a JSON object of changes and words;
--   and with ` again` behind the change, the word DUPLICATE of rows that differ only by the keys they were sealed under
-- @days to=to+1
-- @column finding varchar -- GAP, ERASED, CONFIG-BOUNDARY, CONFLICT, PRE-ARCHIVE, KEYS-ONLY, DUPLICATE or
--   UNRESOLVED-ORDER; without what facts say every break is a GAP
-- @column item_key varchar -- the item
-- @column event_id varchar -- the change at which it shows; of a tie group the first by id
-- @column event_time timestamp -- when DynamoDB made that change, UTC
-- @column expected_state varchar detail -- hash of the item's state before, or absent
-- @column found_state varchar detail -- hash of the state that the change left, or absent
-- @column changes bigint -- how many changes are concerned
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
-- @column since_us bigint detail -- the time that it concerns, in microseconds since 1970: of a GAP that in which
--   what is missing was made; null for no beginning
-- @column until_us bigint detail -- the end of that time
with taken as (
  select *
  from {changes}
  -- a day more, because the changes after a baseline tell whether it was ahead
  where event_date <= {day-after :to}
    and event_time_us < {us :to} + 86400000000
),
{linked},
arrived as (
  select *
  from linked_items
  where linked = 0 or repeated
),
{ordered},
until_then as (
  select *
  from changes
  where event_time_us < {us :to}
),
marked as (
  select
    until_then.*,
    old_state = 'unknown' or new_state = 'unknown' as blind,
    cast(
      sum(case when old_state = 'unknown' or new_state = 'unknown' then 1 else 0 end) over (partition by item_key)
      as bigint
    ) as blind_changes,
    max(case when old_state = 'unknown' or new_state = 'unknown' then event_time_us end) over (partition by item_key)
      as last_blind_us,
    row_number() over (
      partition by item_key, old_state = 'unknown' or new_state = 'unknown'
      order by step, event_id
    ) as place_among_blind,
    max(case when not ahead then event_time_us end) over (
      partition by item_key
      order by step
      range between unbounded preceding and 1 preceding
    ) as previous_time_us
  from until_then
),
findings as (
  select marked.*, t.finding
  from marked
  cross join unnest(array[
    case
      when place_in_step = 1
        and (
          (
            step > 1
            and previous_state <> entry_state
            and previous_state <> 'unknown'
            and entry_state <> 'unknown'
          )
          -- no way leads through all changes of one time, so one or more between them are missing
          or (imbalance > 1 and cardinality(array_remove(states_left || states_entered, 'unknown')) = 2 * step_changes)
        )
      then 'GAP'
    end,
    case
      when place_in_step = 1
        and step > 1
        and step_changes = 1
        and previous_state <> entry_state
      then 'ERASED'
    end,
    case
      when place_in_step = 1
        and step > 1
        and step_changes = 1
        and previous_state <> entry_state
      then 'CONFIG-BOUNDARY'
    end,
    case
      when place_in_step = 1
        and step = 1
        and event_name <> 'BASELINE'
        and entry_state not in ('absent', 'unknown')
      then 'PRE-ARCHIVE'
    end,
    case
      when place_in_step = 1
        and (unresolved or (imbalance = 0 and step = 1))
      then 'UNRESOLVED-ORDER'
    end,
    case when blind and place_among_blind = 1 then 'KEYS-ONLY' end,
    case when conflict then 'CONFLICT' end,
    case when repeats > 0 then 'DUPLICATE' end
  ]) as t(finding)
  where t.finding is not null
    -- a break has one of three words, and a repeat that is not the same one of two
    and case
      when t.finding in ('GAP', 'ERASED', 'CONFIG-BOUNDARY') or (conflict and t.finding in ('CONFLICT', 'DUPLICATE'))
      then t.finding = coalesce(
        element_at(
          cast(json_parse(:explained) as map(varchar, varchar)),
          event_id || case when t.finding in ('CONFLICT', 'DUPLICATE') then ' again' else '' end
        ),
        case when t.finding in ('CONFLICT', 'DUPLICATE') then 'CONFLICT' else 'GAP' end
      )
      else true
    end
)
select
  finding,
  item_key,
  event_id,
  event_time,
  case
    when finding in ('GAP', 'ERASED', 'CONFIG-BOUNDARY') then previous_state
    when finding = 'PRE-ARCHIVE' then 'absent'
  end as expected_state,
  case when finding in ('GAP', 'ERASED', 'CONFIG-BOUNDARY', 'PRE-ARCHIVE') then entry_state end as found_state,
  case finding
    when 'UNRESOLVED-ORDER' then step_changes
    when 'KEYS-ONLY' then blind_changes
    when 'CONFLICT' then repeats + 1
    when 'DUPLICATE' then repeats
    else 1
  end as changes,
  event_time_us,
  case
    when finding in ('GAP', 'ERASED', 'CONFIG-BOUNDARY')
      -- where the clock ran back, what is missing is of the time that it ran again
      then case when previous_time_us > event_time_us then event_time_us else previous_time_us end
    when finding = 'PRE-ARCHIVE' then null
    else event_time_us
  end as since_us,
  case when finding = 'KEYS-ONLY' then last_blind_us else event_time_us end as until_us
from findings
order by finding, event_time_us, item_key, event_id
