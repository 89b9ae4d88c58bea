-- @question Which rows are no longer what their hashes say?
-- @empty every row is what it was when it was made, as far as its own hashes tell; what is derived from images (flat
--   columns, changed, misfits, actor) only verify rows looks at
-- @parameter from instant default=1970-01-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @actor recorded
-- @column altered varchar -- what is another: old_image, new_image, row (a column that row_hash is taken over),
--   event_id, or event_time; unknown_version: a later itemtrail made the row, which can say whether it is another
-- @column item_key varchar -- the item
-- @column event_id varchar -- the row's change
-- @column event_name varchar -- its kind
-- @column event_time timestamp -- when DynamoDB made it, UTC
-- @column expected_hash varchar detail -- the hash or value that the row holds
-- @column found_hash varchar detail -- the one that its other columns give
-- @column arrived_at timestamp detail -- which delivery of the change
-- @column event_time_us bigint detail -- event_time in microseconds since 1970
with hashed as (
  select
    event_id,
    item_key,
    event_name,
    event_time,
    event_time_us,
    event_date,
    arrived_at,
    old_hash,
    new_hash,
    row_hash,
    row_version,
    lower(to_hex(sha256(to_utf8(old_image)))) as old_found,
    lower(to_hex(sha256(to_utf8(new_image)))) as new_found,
    chr(10) || coalesce(event_id, '-')
      || chr(10) || coalesce(source_event_id, '-')
      || chr(10) || coalesce(table_name, '-')
      || chr(10) || coalesce(region, '-')
      || chr(10) || coalesce(source, '-')
      || chr(10) || coalesce(view_type, '-')
      || chr(10) || coalesce(event_name, '-')
      || chr(10) || coalesce(sequence, '-')
      || chr(10) || coalesce(cast(event_time_us as varchar), '-')
      || chr(10) || coalesce(time_precision, '-')
      || chr(10) || coalesce(actor_source, '-')
      || chr(10) || coalesce(config_id, '-')
      || chr(10) || coalesce(old_hash, '-')
      || chr(10) || coalesce(new_hash, '-')
      || chr(10) || coalesce(lower(to_hex(sha256(to_utf8(item_key)))), '-')
      || chr(10) || coalesce(lower(to_hex(sha256(to_utf8(actor)))), '-')
      || chr(10) || coalesce(lower(to_hex(sha256(to_utf8(last_writer)))), '-')
      || chr(10) || coalesce(lower(to_hex(sha256(to_utf8(user_identity)))), '-')
      || chr(10) || coalesce(lower(to_hex(sha256(to_utf8(array_join(subjects, chr(10)))))), '-')
      as hashed_columns,
    coalesce(region, '-') || chr(10) || table_name || chr(10) || item_key || chr(10) || event_name || chr(10)
      || case when time_precision = 'arrival' then '-' else cast(event_time_us as varchar) end
      || chr(10) as identity_head,
    coalesce(source_event_id, '-') as identity_event,
    -- of a numbered record an image with sealed values counts without their ciphertext and what is kept of them
    chr(10) || coalesce(sequence, '-')
      || chr(10) || coalesce(
        case
          when old_hash is null or subjects is null or sequence is null or source_event_id is null then old_hash
          else lower(to_hex(sha256(to_utf8(regexp_replace(
            old_image,
            {sealed-value},
            '{"M":{"\$enc":{"S":"$1"}}}'
          )))))
        end,
        '-'
      )
      || chr(10) || coalesce(
        case
          when new_hash is null or subjects is null or sequence is null or source_event_id is null then new_hash
          else lower(to_hex(sha256(to_utf8(regexp_replace(
            new_image,
            {sealed-value},
            '{"M":{"\$enc":{"S":"$1"}}}'
          )))))
        end,
        '-'
      ) as identity_tail
  from {changes}
  -- what claims to be of no time that a question can name would otherwise be in no answer at all
  where (
      (event_date >= {day :from} and event_date <= {day :to})
      or event_date < '1970-01-01' or event_date > '9999-12-31'
    )
    and (
      event_time_us is null
      or event_time_us < 0
      or event_time_us >= 253402214400000000
      or (event_time_us >= {us :from} and event_time_us < {us :to})
    )
),
-- a row does not say by which capture it came, so any that gives its id will do
identified as (
  select
    hashed.*,
    lower(to_hex(sha256(to_utf8(chr(0) || row_version || hashed_columns)))) as row_found,
    -- what has the hash of a version that is known was of that
    case
      when row_version <> 'audit-row/v1' and regexp_like(row_version, '\Aaudit-row/v[1-9][0-9]{0,3}\z')
        then row_hash is distinct from lower(to_hex(sha256(to_utf8(chr(0) || 'audit-row/v1' || hashed_columns))))
      else false
    end as is_unknown,
    substr(
      lower(to_hex(sha256(to_utf8('streams' || chr(10) || identity_head || identity_event || identity_tail)))), 1, 32
    ) as streams_id,
    substr(
      lower(to_hex(sha256(to_utf8('kinesis' || chr(10) || identity_head || '-' || identity_tail)))), 1, 32
    ) as kinesis_id,
    substr(
      lower(to_hex(sha256(to_utf8('baseline' || chr(10) || identity_head || identity_event || identity_tail)))), 1, 32
    ) as baseline_id
  from hashed
),
found as (
  select identified.*, t.altered
  from identified
  cross join unnest(array[
    case when is_unknown then 'unknown_version' end,
    case when not is_unknown and old_hash is distinct from old_found then 'old_image' end,
    case when not is_unknown and new_hash is distinct from new_found then 'new_image' end,
    case when not is_unknown and row_hash is distinct from row_found then 'row' end,
    case
      when is_unknown then null
      when event_name = 'BASELINE' and event_id <> baseline_id then 'event_id'
      when event_name <> 'BASELINE' and event_id <> streams_id and event_id <> kinesis_id then 'event_id'
    end,
    case
      when event_time is null
        or event_time_us is null
        or event_time_us < 0
        or cast(round(to_unixtime(event_time) * 1000) as bigint) <> event_time_us / 1000
        or date_format(event_time, '%Y-%m-%d') <> event_date
      then 'event_time'
    end
  ]) as t(altered)
  where t.altered is not null
)
select
  altered,
  item_key,
  event_id,
  event_name,
  event_time,
  case altered
    when 'old_image' then old_hash when 'new_image' then new_hash when 'row' then row_hash
    when 'unknown_version' then row_hash
  end as expected_hash,
  case altered
    when 'old_image' then old_found when 'new_image' then new_found when 'row' then row_found
  end as found_hash,
  arrived_at,
  event_time_us
from found
order by event_time_us, item_key, event_id, altered, arrived_at, expected_hash, found_hash
