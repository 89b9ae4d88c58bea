-- From `taken` (rows of the archive) to when each stopped to matter to what its item is later. Most changes soon do:
-- the next one of the stream, a write whose place is certain, enters a state that is known whatever was before it. One
-- look at the neighbours finds them, so that the order need be found among the few others only. What stays: all that
-- have no sequence, or no time of their own, and the first of each source where there are several, which decides how
-- they are ordered (a change that goes has one of its source before it, at an earlier time). Of an item of one source
-- `is_first` is its first change.
in_sequence as (
  select
    taken.*,
    min(source) over (partition by item_key) <> max(source) over (partition by item_key) as of_several_sources,
    row_number() over (partition by item_key order by source, sequence) = 1 as is_first,
    case
      when time_precision <> 'arrival'
        and lead(event_name) over (partition by item_key order by source, sequence) <> 'BASELINE'
        and lead(source) over (partition by item_key order by source, sequence) = source
        and lead(sequence) over (partition by item_key order by source, sequence) > sequence
        and coalesce(lead(sequence, 2) over (partition by item_key order by source, sequence), '')
          <> lead(sequence) over (partition by item_key order by source, sequence)
        and lead(event_time_us) over (partition by item_key order by source, sequence) >= max(event_time_us) over (
          partition by item_key
          order by source, sequence
          rows between unbounded preceding and current row
        )
        and (
          min(source) over (partition by item_key) = max(source) over (partition by item_key)
          or (
            lag(source) over (partition by item_key order by source, sequence) = source
            and lag(event_time_us) over (partition by item_key order by source, sequence) < event_time_us
          )
        )
      then lead(event_time_us) over (partition by item_key order by source, sequence)
    end as superseded_us
  from taken
)
