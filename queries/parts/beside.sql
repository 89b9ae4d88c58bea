-- From `taken` (rows of the archive) to whether each has its place, once, and leaves the state that the one before it
-- enters, so that it `fits`: `goes_on` is 1, and of the first wherever it begins; `link` is 1 where that is an INSERT
-- or a BASELINE. Two rows of one change have one sequence and one time, and so are side by side here: one that says
-- what the one before it says is told `again`, and changes nothing. A baseline that is not the first has no place. All
-- is asked of one order of an item's rows, so that they are sorted once.
going_on as (
  select
    taken.*,
    row_number() over (partition by item_key order by coalesce(sequence, ''), event_time_us) = 1 as begins,
    case
      when event_name <> 'BASELINE'
        and row_hash = lag(row_hash) over (partition by item_key order by coalesce(sequence, ''), event_time_us)
      then 1
      else 0
    end as again,
    case
      when time_precision = 'arrival' or (new_hash is null and event_name <> 'REMOVE') then 0
      when row_number() over (partition by item_key order by coalesce(sequence, ''), event_time_us) = 1 then 1
      when event_name <> 'BASELINE'
        and coalesce(old_hash, case when event_name = 'INSERT' then 'absent' else 'unknown' end) = coalesce(
          lag(new_hash) over (partition by item_key order by coalesce(sequence, ''), event_time_us),
          case
            when lag(event_name) over (partition by item_key order by coalesce(sequence, ''), event_time_us) = 'REMOVE'
            then 'absent'
          end
        )
        and (
          first_value(event_name) over (partition by item_key order by coalesce(sequence, ''), event_time_us)
            <> 'BASELINE'
          or event_time_us
            > first_value(event_time_us) over (partition by item_key order by coalesce(sequence, ''), event_time_us)
        )
        and (
          lag(event_name) over (partition by item_key order by coalesce(sequence, ''), event_time_us) = 'BASELINE'
          or (
            source = lag(source) over (partition by item_key order by coalesce(sequence, ''), event_time_us)
            and (
              sequence > lag(sequence) over (partition by item_key order by coalesce(sequence, ''), event_time_us)
              or (
                sequence is null
                and event_time_us
                  > lag(event_time_us) over (partition by item_key order by coalesce(sequence, ''), event_time_us)
              )
            )
          )
        )
      then 1
      else 0
    end as fits
  from taken
),
beside as (
  select
    going_on.*,
    greatest(fits, again) as goes_on,
    case
      when not begins or event_name = 'BASELINE' or (event_name = 'INSERT' and old_hash is null)
      then greatest(fits, again)
      else 0
    end as link
  from going_on
)
