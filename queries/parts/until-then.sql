-- From the rows of the archive to each item's changes up to the moment `at`, in order, as far as its state then depends
-- on them.
taken as (
  -- a day more, because the changes after a baseline tell whether it was ahead
  select *
  from {changes}
  where event_date <= {day-after :at}
    and event_time_us <= {us :at} + 86400000000
),
{superseded},
arrived as (
  select *
  from in_sequence
  where superseded_us is null
    or superseded_us > {us :at}
),
{ordered},
until_then as (
  select *
  from changes
  where event_time_us <= {us :at}
)
