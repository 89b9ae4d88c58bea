-- @question Is anything missing, whatever the order of changes? Each state that was entered must have been left, but
--   for the last.
-- @empty each item's changes balance: it entered each of its states as often as it left it, but for one to begin with
--   and one to end with
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @days to=to
-- @column finding varchar -- GAP
-- @column item_key varchar -- the item; those with changes that lack an image cannot be balanced and are left out
-- @column state varchar detail -- a state that was not left as often as it was entered: hash of the item, or absent
-- @column entered bigint -- how many changes entered it
-- @column departed bigint -- how many left it
-- @column event_id varchar -- the last change that entered it, or the first that left it, whichever is more
-- @column event_time timestamp -- when DynamoDB made that change, UTC
-- @column missing bigint -- at least so many of the item's changes are missing
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
with arrived as (
  select *
  from {changes}
  where event_date <= {day :to}
    and event_time_us < {us :to}
),
{stated},
moves as (
  select
    item_key,
    moves_of.move,
    case moves_of.move when 'entered' then new_state else old_state end as state,
    lpad(cast(event_time_us as varchar), 20, '0') || event_id as place,
    event_time
  from stated
  cross join unnest(array['entered', 'left']) as moves_of(move)
  -- a baseline only looks
  where event_name <> 'BASELINE'
),
counted_moves as (
  select
    item_key,
    state,
    cast(count_if(move = 'entered') as bigint) as entered,
    cast(count_if(move = 'left') as bigint) as departed,
    max(case when move = 'entered' then place end) as last_entered,
    max(case when move = 'entered' then event_time end) as last_entered_time,
    min(case when move = 'left' then place end) as first_left,
    min(case when move = 'left' then event_time end) as first_left_time
  from moves
  group by item_key, state
),
weighed as (
  select
    counted_moves.*,
    case when entered > departed then last_entered else first_left end as place,
    cast(
      sum(case when entered > departed then entered - departed else 0 end) over (partition by item_key)
      as bigint
    ) as ends,
    max(case when state = 'unknown' then 1 else 0 end) over (partition by item_key) as blind
  from counted_moves
)
select
  'GAP' as finding,
  item_key,
  state,
  entered,
  departed,
  substr(place, 21) as event_id,
  case when entered > departed then last_entered_time else first_left_time end as event_time,
  ends - 1 as missing,
  cast(substr(place, 1, 20) as bigint) as event_time_us
from weighed
where ends > 1
  and blind = 0
  and entered <> departed
order by item_key, event_time_us, event_id, state
