-- @question Which changes do later states depend on?
-- @empty none
-- @column event_id varchar -- the change
with taken as (
  select
    item_key, event_id, source_event_id, subjects, event_name, event_time, event_time_us, time_precision, sequence,
    source,
    old_hash, new_hash, config_id, row_hash, arrived_at
  from {changes}
),
{superseded},
arrived as (
  select * from in_sequence where superseded_us is null or of_several_sources
),
{stepped},
marked as (
  select
    item_key, event_id, step, source, sequence, event_time_us, time_precision,
    case
      when count(*) over (partition by item_key, step) = 1
        and event_name <> 'BASELINE'
        and event_time_us = order_us
        and min(source) over (partition by item_key, order_us) = max(source) over (partition by item_key, order_us)
      then step
    end as cut
  from numbered
),
placed_in_source as (
  select
    marked.*,
    max(cut) over (partition by item_key) as last_cut,
    min(source) over (partition by item_key) <> max(source) over (partition by item_key) as several_sources,
    row_number() over (partition by item_key, source order by event_time_us, event_id) as from_first,
    row_number() over (partition by item_key, source order by coalesce(sequence, '') desc, event_time_us desc, event_id)
      as from_last
  from marked
)
select item_key, event_id
from placed_in_source
where last_cut is null
  or step >= last_cut
  or time_precision = 'arrival'
  or (several_sources and (from_first = 1 or from_last = 1))
