-- @question What happened to one item, change by change, oldest first?
-- @empty the archive has no change of this item in the period
-- @parameter item_key item example=ORD12345 -- the item's key
-- @parameter from instant default=1970-01-01T00:00:00Z -- first moment
-- @parameter to instant default=9999-12-31T00:00:00Z -- the moment after the last
-- @days from=from to=to
-- @actor today
-- @column step bigint -- place in the item's order; changes that share one have no order of their own
-- @column event_id varchar detail -- identifies the change
-- @column event_name varchar -- INSERT, MODIFY, REMOVE or BASELINE
-- @column event_time timestamp -- when DynamoDB made the change, UTC
-- @column event_time_us bigint detail -- the same in microseconds since 1970
-- @column time_precision varchar detail -- s, ms, us or arrival
-- @column sequence varchar detail -- DynamoDB's sequence number
-- @column source varchar detail -- the stream
-- @column view_type varchar detail -- which images the stream keeps
-- @column changed array(varchar) -- attributes that differ
-- @column actor varchar -- who, as far as the record tells
-- @column actor_source varchar -- where actor was found
-- @column last_writer varchar detail -- who wrote the version before the change, or that a baseline found
-- @column user_identity varchar detail -- the identity DynamoDB recorded
-- @column old_image varchar detail -- the item before
-- @column new_image varchar detail -- the item after
-- @column old_hash varchar detail -- SHA-256 of old_image
-- @column new_hash varchar detail -- SHA-256 of new_image
-- @column source_event_id varchar detail -- eventID as recorded
-- @column table_name varchar detail -- the table
-- @column region varchar detail -- its region
-- @column config_id varchar detail -- the configuration that the row was made under
-- @column subjects array(varchar) detail -- pseudonymous tokens of the persons concerned
-- @column row_version varchar detail -- of the row contract
-- @column row_hash varchar detail -- SHA-256 of the row's leaf
-- @column repeats bigint -- how many further times the change was delivered
-- @column renamed boolean detail -- true where its deliveries had different eventIDs, as repeats in Kinesis may
-- @column conflict boolean -- true where deliveries of this change contradict one another
with delivered as (
  select *
  from {changes}
  where item_key = :item_key
    and event_date >= {day :from}
    and event_date <= {day :to}
    and event_time_us >= {us :from}
    and event_time_us < {us :to}
),
{contradicted},
{ordered}
select
  step,
  event_id,
  event_name,
  event_time,
  event_time_us,
  time_precision,
  sequence,
  source,
  view_type,
  changed,
  actor,
  actor_source,
  last_writer,
  user_identity,
  old_image,
  new_image,
  old_hash,
  new_hash,
  source_event_id,
  table_name,
  region,
  config_id,
  subjects,
  row_version,
  row_hash,
  repeats,
  renamed,
  contradicted as conflict
from changes
order by step, event_id
