-- From `sides` (what each item was at two moments) to what differs, of the items in which something does.
compared as (
  select
    item_key,
    case
      when state_before = 'unknown' or state_after = 'unknown' then 'unknown'
      when before is null then 'added'
      when after is null then 'removed'
      else 'changed'
    end as difference,
    before,
    after,
    cast(json_parse(coalesce(before, '{}')) as map(varchar, json)) as attributes_before,
    cast(json_parse(coalesce(after, '{}')) as map(varchar, json)) as attributes_after
  from sides
  where before is distinct from after
    or state_before = 'unknown'
    or state_after = 'unknown'
),
differing as (
  select
    item_key,
    difference,
    -- name by name, for a row of each would carry both images
    array_sort(filter(
      array_distinct(map_keys(attributes_before) || map_keys(attributes_after)),
      attribute -> difference <> 'unknown'
        and json_format(element_at(attributes_before, attribute)) is distinct from
          json_format(element_at(attributes_after, attribute))
    )) as attributes,
    before,
    after
  from compared
)
