import { parseSavedQuery } from '../queries/catalog.js'

/**
 * Which changes the states of items at any later moment depend on, of all up to the end of a day. Of each item: the last
 * change that stands alone in its step, wrote, and has the greatest time so far, and all after it in order. Whatever
 * comes later, the state that such a change enters is known from it, so what was before cannot matter. An item without
 * one keeps everything. Where an item was seen in several sources, the first and the last change of each source stay too,
 * because they decide how the sources are ordered; so do all changes without a time, whose repeats may come any day.
 */
export const NEEDED_CHANGES = parseSavedQuery(
  'needed-changes',
  `-- @question Which changes do later states depend on?
-- @empty none
-- @column event_id -- the change
with taken as (
  select
    item_key, event_id, source_event_id, event_name, event_time, event_time_us, time_precision, sequence, source,
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
  or (several_sources and (from_first = 1 or from_last = 1))`,
)
