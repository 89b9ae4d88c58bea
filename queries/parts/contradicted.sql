-- From `delivered` (rows of the archive) to `arrived`: each with whether rows of its change, made under one
-- configuration from records of one eventID, contradict one another. Of a person who was erased meanwhile a record that
-- comes again is sealed under another key, or not kept at all: then all that is clear has to be the same, and what is
-- sealed under one key, and the length of all that is sealed. Reads images.

hashes_compared as (
  select
    delivered.*,
    min(row_hash) over (partition by event_id, config_id, source_event_id)
      <> max(row_hash) over (partition by event_id, config_id, source_event_id) as hashes_differ
  from delivered
),
sealed_found as (
  select
    hashes_compared.*,
    case
      when hashes_differ and subjects is not null
      then regexp_extract_all(coalesce(old_image, ''), {sealed-value})
        || regexp_extract_all(coalesce(new_image, ''), {sealed-value})
    end as sealed_values
  from hashes_compared
),
-- what a row says, each as question=answer
said as (
  select
    sealed_found.*,
    case
      when time_precision = 'arrival' or not hashes_differ then array['']
      when subjects is null then array['=' || row_hash]
      else
        array['=' || lower(to_hex(sha256(to_utf8(
          coalesce(row_version, '-')
            || chr(10) || coalesce(table_name, '-')
            || chr(10) || coalesce(region, '-')
            || chr(10) || coalesce(source, '-')
            || chr(10) || coalesce(view_type, '-')
            || chr(10) || coalesce(event_name, '-')
            || chr(10) || coalesce(sequence, '-')
            || chr(10) || coalesce(cast(event_time_us as varchar), '-')
            || chr(10) || coalesce(time_precision, '-')
            || chr(10) || coalesce(actor_source, '-')
            || chr(10) || coalesce(item_key, '-')
            || chr(10) || coalesce(actor, '-')
            || chr(10) || coalesce(last_writer, '-')
            || chr(10) || coalesce(user_identity, '-')
            || chr(10) || regexp_replace(array_join(subjects, chr(10)), '\n[0-9a-f]{32}[:]erased', '')
            || chr(10)
            || regexp_replace(coalesce(old_image, '-'), {sealed-value}, '{"M":{"\$enc":{"S":"$1"}}}')
            || chr(10)
            || regexp_replace(coalesce(new_image, '-'), {sealed-value}, '{"M":{"\$enc":{"S":"$1"}}}')
        ))))]
        || flatten(transform(
          sequence(1, greatest(cardinality(sealed_values), 1)),
          place -> case
            -- of a value of which nothing was kept, nothing can be compared
            when regexp_like(coalesce(element_at(sealed_values, place), ''), {sealed-pieces})
            then array[
              cast(place as varchar) || '='
                || cast(length(regexp_replace(element_at(sealed_values, place), {sealed-pieces}, '$2')) as varchar)
                || regexp_replace(element_at(sealed_values, place), {sealed-pieces}, '$3'),
              cast(place as varchar) || ' '
                || regexp_replace(element_at(sealed_values, place), {sealed-pieces}, '$1') || '='
                || regexp_replace(element_at(sealed_values, place), {sealed-pieces}, '$2')
            ]
            else array['']
          end
        ))
    end as statements
  from sealed_found
),
said_of_change as (
  select
    said.*,
    array_distinct(flatten(array_agg(statements) over (partition by event_id, config_id, source_event_id)))
      as all_statements
  from said
),
arrived as (
  select
    said_of_change.*,
    max(
      case
        when cardinality(all_statements)
          > cardinality(array_distinct(transform(all_statements, one -> substr(one, 1, strpos(one, '=')))))
        then 1
        else 0
      end
    ) over (partition by event_id) = 1 as contradicted
  from said_of_change
)
