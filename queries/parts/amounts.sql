-- From `arrived` (rows of the archive) to the changes of one attribute that is a number, with its value before and
-- after, what is absent being 0, and the difference, exact: null where a value is no number, or has more digits than 24
-- before the point or 10 behind it, and of a change that lacks an image, of which nobody can tell whether it is one.
{unrepeated},
touched as (
  select
    unrepeated.*,
    json_format(element_at(cast(json_parse(unrepeated.old_image) as map(varchar, json)), t.attribute)) as old_value,
    json_format(element_at(cast(json_parse(unrepeated.new_image) as map(varchar, json)), t.attribute)) as new_value
  from unrepeated
  cross join unnest(
    case
      when (old_image is null and event_name <> 'INSERT') or (new_image is null and event_name <> 'REMOVE')
        then map_keys(cast(json_parse(coalesce(new_image, old_image, '{}')) as map(varchar, json)))
          || array[cast(null as varchar)]
      else unrepeated.changed
    end
  ) as t(attribute)
  where t.attribute = :attribute
    -- the image that there is lacks it, or there is none
    or (
      t.attribute is null
      and element_at(cast(json_parse(coalesce(new_image, old_image, '{}')) as map(varchar, json)), :attribute) is null
    )
),
numerals as (
  select
    touched.*,
    case
      when old_value is not null then coalesce(json_extract_scalar(old_value, '$.N'), 'none')
      when old_image is not null or event_name = 'INSERT' then '0'
      else 'none'
    end as old_numeral,
    case
      when new_value is not null then coalesce(json_extract_scalar(new_value, '$.N'), 'none')
      when new_image is not null or event_name = 'REMOVE' then '0'
      else 'none'
    end as new_numeral
  from touched
),
amounts as (
  select
    numerals.*,
    case
      when regexp_like(old_numeral, '\A(|-)[0-9]{1,24}(|\.[0-9]{1,10})\z')
        and regexp_like(new_numeral, '\A(|-)[0-9]{1,24}(|\.[0-9]{1,10})\z')
      then cast(cast(new_numeral as decimal(38, 10)) - cast(old_numeral as decimal(38, 10)) as decimal(38, 10))
    end as difference
  from numerals
)
