-- From `taken` (rows of the archive) to whether the changes of each item hang together at first sight: `linked` is 1
-- where each of them is linked. In such an item nothing can be found but rows that are told again (`repeated`), so that
-- the order need be found among the others only.
{beside},
linked_items as (
  select
    beside.*,
    min(link) over (partition by item_key) as linked,
    max(again) over (partition by item_key) = 1 as repeated,
    max(case when event_name = 'BASELINE' then 1 else 0 end) over (partition by item_key) = 1 as with_baseline
  from beside
)
