-- From `arrived` (rows of the archive) to each change once.

-- of rows with one event_id the least counts; `conflict` tells rows that say different things although they were made
-- under one configuration from records of one eventID, which a repeat in Kinesis need not keep; whether that is because
-- a person was erased between them, only their images tell (`contradicted.sql`)
compared_rows as (
  select
    arrived.*,
    time_precision <> 'arrival' and (
      min(row_hash) over (partition by event_id, config_id, source_event_id)
      <> max(row_hash) over (partition by event_id, config_id, source_event_id)
    ) as config_conflict
  from arrived
),
counted as (
  select
    compared_rows.*,
    row_number() over (partition by event_id order by event_time_us, row_hash, arrived_at) as repeat_number,
    count(*) over (partition by event_id) - 1 as repeats,
    coalesce(
      min(source_event_id) over (partition by event_id) <> max(source_event_id) over (partition by event_id),
      false
    ) as renamed,
    max(case when config_conflict then 1 else 0 end) over (partition by event_id) = 1 as conflict
  from compared_rows
),
unrepeated as (
  select *
  from counted
  where repeat_number = 1
)
