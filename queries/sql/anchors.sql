-- @question Does each item of a complete baseline fit its changes, and do they say of no other that it was there?
-- @empty every item of the baseline was what its changes say, and no other was there
-- @parameter source text
--   example=arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/scan/2026-11-20T00:00:00.000000Z -- the baseline,
--   as its fact in the archive names it
-- @parameter time instant example=2026-11-19T23:59:59.999999Z -- the fact's rowTime
-- @parameter until instant example=2026-11-20T00:10:00Z -- until when it may have seen changes: the fact's to, and a
--   minute more where clocks may differ
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @days to=to
-- @column finding varchar -- GAP
-- @column missing varchar -- what is missing: a change before the baseline's row; a REMOVE after a change; an INSERT
--   before it
-- @column item_key varchar -- the item
-- @column event_id varchar -- the baseline's row, or of an item that the baseline lacks the change after which, or
--   before which, one is missing
-- @column event_time timestamp -- when DynamoDB made that change, UTC
-- @column expected_state varchar detail -- hash of the item as its changes say, or absent
-- @column found_state varchar detail -- hash of the item as the baseline says, or absent
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{ordered},
-- where each change stands: it is the baseline's own row, before it, soon enough after it for the baseline to have
-- seen it, or later
sided as (
  select changes.*, sides.side, lpad(cast(step as varchar), 12, '0') as place
  from changes
  cross join unnest(array['own', 'before', 'soon', 'later']) as sides(side)
  where (sides.side = 'own' and event_name = 'BASELINE' and source = :source)
    or (
      not (event_name = 'BASELINE' and source = :source)
      and (
        (sides.side = 'before' and order_us <= {us :time})
        or (sides.side = 'soon' and order_us > {us :time} and order_us <= {us :until})
        or (sides.side = 'later' and order_us > {us :time} and order_us > {us :until})
      )
    )
),
items as (
  select
    item_key,
    count_if(side = 'own') as own_rows,
    count_if(side = 'before' and event_name <> 'BASELINE') as writes_before,
    count_if(side = 'soon' and event_name <> 'BASELINE' and new_state = 'absent') as removed_soon,
    substr(
      min(
        case
          when side in ('soon', 'later') and event_name <> 'BASELINE' and imbalance > 0
            then place || way_in
        end
      ), 13
    ) as next_state,
    -- the baseline's own row where it breaks the chain
    max(
      case
        when side = 'own'
          and place_in_step = 1
          and not ahead
          and previous_state <> entry_state
          and previous_state <> 'unknown'
        then place || event_id
      end
    ) as broken_event,
    max(case when side = 'own' and place_in_step = 1 then place || previous_state end) as broken_expected,
    max(case when side = 'own' and place_in_step = 1 then place || entry_state end) as broken_found,
    max(case when side = 'own' then event_time end) as broken_time,
    max(case when side = 'own' then event_time_us end) as broken_us,
    -- the last step before it and the first after it
    max(case when side = 'before' and not ahead and imbalance > 0 then place || exit_state end) as state_before,
    max(case when side = 'before' and not ahead and place_in_step = 1 then place || event_id end) as event_before,
    max_by(event_time, case when side = 'before' and not ahead then place end) as time_before,
    max_by(event_time_us, case when side = 'before' and not ahead then place end) as us_before,
    min(
      case
        when side in ('soon', 'later') and not ahead
        then place
          || case
            when imbalance = 0 and cardinality(array_remove(states_left, 'absent')) < step_changes then 'absent'
            else entry_state
          end
      end
    ) as state_after,
    min(
      case
        when side in ('soon', 'later') and not ahead and place_in_step = 1
          then place || event_id
      end
    ) as event_after,
    min_by(event_time, case when side in ('soon', 'later') and not ahead then place end) as time_after,
    min_by(event_time_us, case when side in ('soon', 'later') and not ahead then place end) as us_after
  from sided
  group by item_key
),
judged_items as (
  select
    items.*,
    -- an item that is lacking, but was removed soon after, may have been removed before the scan came to it
    own_rows = 0
      and not (
        removed_soon > 0
        and coalesce(next_state, 'unknown') <> 'absent'
        and (coalesce(next_state, 'unknown') <> 'unknown' or writes_before > 0)
      ) as lacking
  from items
),
found as (
  select judged_items.*, t.missing
  from judged_items
  cross join unnest(array[
    case when broken_event is not null then 'change' end,
    case when lacking and substr(state_before, 13) not in ('absent', 'unknown') then 'REMOVE' end,
    case when lacking and substr(state_after, 13) not in ('absent', 'unknown') then 'INSERT' end
  ]) as t(missing)
  where t.missing is not null
)
select
  'GAP' as finding,
  missing,
  item_key,
  substr(
    case missing when 'change' then broken_event when 'REMOVE' then event_before else event_after end, 13
  ) as event_id,
  case missing when 'change' then broken_time when 'REMOVE' then time_before else time_after end as event_time,
  substr(
    case missing when 'change' then broken_expected when 'REMOVE' then state_before else state_after end, 13
  ) as expected_state,
  case missing when 'change' then substr(broken_found, 13) else 'absent' end as found_state,
  case missing when 'change' then broken_us when 'REMOVE' then us_before else us_after end as event_time_us
from found
order by item_key, event_time_us, event_id, missing
