-- From `called` (calls as CloudTrail keeps them) to what each of them asked DynamoDB to write: a call of several writes
-- has an entry for each. What cannot be read there is null, and nothing is excluded by it.

-- of a call that is logged in two accounts the event counts that names its caller
counted_calls as (
  select
    called.*,
    case
      when json_array_length(element_at(parameters, 'requestItems')) > 0
        then element_at(parameters, 'requestItems')
    end as request_items,
    row_number() over (
      partition by coalesce(sharedeventid, eventid)
      order by case when useridentity.arn is null then 1 else 0 end, eventid
    ) as telling
  from called
),
unfolded as (
  select
    counted_calls.*,
    place,
    case
      when request_items is null then parameters
      else try(cast(json_array_get(request_items, place) as map(varchar, json)))
    end as entry
  from counted_calls
  cross join unnest(sequence(0, coalesce(json_array_length(request_items), 1) - 1)) as t (place)
  where telling = 1
),
-- the names of parameters begin with a small letter or with a capital, within one call
read_entries as (
  select
    unfolded.*,
    coalesce(
      json_extract_scalar(element_at(entry, 'tableName'), '$'),
      json_extract_scalar(element_at(entry, 'TableName'), '$')
    ) as entry_table,
    coalesce(element_at(entry, 'key'), element_at(entry, 'Key')) as entry_key,
    coalesce(
      element_at(entry, 'item'),
      element_at(entry, 'Item'),
      element_at(entry, 'items'),
      element_at(entry, 'Items')
    ) as entry_item,
    coalesce(
      json_extract_scalar(element_at(entry, 'updateExpression'), '$'),
      json_extract_scalar(element_at(entry, 'UpdateExpression'), '$')
    ) as expression,
    coalesce(
      element_at(entry, 'expressionAttributeNames'),
      element_at(entry, 'ExpressionAttributeNames')
    ) as expression_names,
    case
      when eventname in ('PutItem', 'UpdateItem', 'DeleteItem') then lower(eventname)
      when eventname = 'TransactWriteItems' then lower(
        coalesce(
          json_extract_scalar(element_at(entry, 'operation'), '$'),
          json_extract_scalar(element_at(entry, 'Operation'), '$')
        )
      )
      -- of a statement its first word; a statement that is not told may be any
      when eventname in ('ExecuteStatement', 'BatchExecuteStatement', 'ExecuteTransaction') then lower(
        'partiql ' || regexp_replace(
          coalesce(
            json_extract_scalar(element_at(entry, 'statement'), '$'),
            json_extract_scalar(element_at(entry, 'Statement'), '$')
          ),
          '\A\s*([A-Za-z]*)[\s\S]*\z',
          '$1'
        )
      )
    end as operation
  from unfolded
),
-- which changes a write of its kind can make: PartiQL makes no item that is there, and changes none that is not
kinds as (
  select
    read_entries.*,
    case
      when operation in ('putitem', 'put', 'updateitem', 'update') then 'INSERT MODIFY'
      when operation in ('deleteitem', 'delete', 'partiql delete') then 'REMOVE'
      when operation = 'partiql insert' then 'INSERT'
      when operation = 'partiql update' then 'MODIFY'
      when operation in ('conditioncheck', 'partiql select', 'partiql exists') then ''
      else 'INSERT MODIFY REMOVE'
    end as makes
  from read_entries
),
entries as (
  select
    kinds.*,
    try(cast(entry_key as map(varchar, json))) as call_key,
    json_format(entry_key) as key_text,
    -- all names that UpdateItem can write to, and some that it only reads
    case
      when operation in ('updateitem', 'update') and expression is not null
        then array_distinct(
          regexp_extract_all(expression, '[A-Za-z_][A-Za-z0-9_]*')
          || coalesce(map_values(try(cast(expression_names as map(varchar, varchar)))), array[''])
        )
    end as written,
    -- the names of the item that a put leaves; a name with a backslash in JSON is not read
    case
      when operation in ('putitem', 'put')
        and json_array_length(entry_item) > 0
        and strpos(json_format(entry_item), chr(92)) = 0
      then regexp_extract_all(json_format(entry_item), '"([^"]*)"', 1)
    end as put_names
  from kinds
)
