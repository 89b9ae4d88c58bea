-- @question Which items have changes that hang together at first sight, and when were the first and the last made?
-- @empty none
-- @column item_key varchar -- the item
-- @column linked bigint -- 1 where each change leaves the state that the one before entered: nothing can be found there
--   but repeats
-- @column goes_on bigint -- 1 where it is so whatever was before its first change: its last state is known
-- @column with_baseline boolean -- whether a baseline saw it
-- @column least_baseline varchar -- the least source of a baseline that saw it
-- @column greatest_baseline varchar -- the greatest
-- @column seen_first varchar -- hash of what a baseline saw that is the first of its rows
-- @column first_us bigint -- when its first change was made
-- @column last_us bigint -- when its last change was made
-- @column changes bigint -- how many there are where it is linked, repeats and baselines left out
-- @column repeats bigint -- how many of its rows say what the one before them says
-- @column row_count bigint -- how many rows
-- @column first_region varchar -- the least region of its rows
-- @column last_region varchar -- the greatest
with taken as (
  select item_key, event_name, event_time_us, time_precision, sequence, source, region, old_hash, new_hash,
    row_hash
  from {changes}
),
{beside}
select
  item_key,
  min(link) as linked,
  min(goes_on) as goes_on,
  max(case when event_name = 'BASELINE' then 1 else 0 end) = 1 as with_baseline,
  min(case when event_name = 'BASELINE' then source end) as least_baseline,
  max(case when event_name = 'BASELINE' then source end) as greatest_baseline,
  max(case when begins and event_name = 'BASELINE' then new_hash end) as seen_first,
  min(event_time_us) as first_us,
  max(event_time_us) as last_us,
  cast(count_if(event_name <> 'BASELINE' and again = 0) as bigint) as changes,
  cast(sum(again) as bigint) as repeats,
  count(*) as row_count,
  min(region) as first_region,
  max(region) as last_region
from beside
group by item_key
