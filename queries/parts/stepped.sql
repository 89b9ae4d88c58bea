-- From `arrived` (rows of the archive) to the step of its item at which each change was made.

{stated},
placed as (
  select
    stated.*,
    min(event_time_us) over (partition by item_key, source) as source_began_us,
    case
      when sequence is null then event_time_us
      else max(event_time_us) over (
        partition by item_key, source
        order by sequence
        rows between unbounded preceding and current row
      )
    end as order_us
  from stated
),
-- a step is one change, one row of a baseline, or a tie group: changes of one source and time without a sequence
numbered as (
  select
    placed.*,
    dense_rank() over (
      partition by item_key
      order by
        order_us,
        source_began_us,
        source,
        coalesce(sequence, ''),
        case when event_name = 'BASELINE' then event_id else '' end
    ) as step
  from placed
)
