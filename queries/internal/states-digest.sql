-- @question What were all items at a moment, in one digest?
-- @empty never: there is always one row
-- @parameter at instant example=2026-11-19T12:00:00Z -- the moment; changes at it are included
-- @parameter without items default={} -- items that are left out: a JSON object whose names are their keys
-- @column sum_0 bigint -- the sum of the first 32 bits of each state's hash
-- @column sum_1 bigint -- of the next 32 bits, and so on
with {until-then},
{last-states},
hashed as (
  select to_hex(sha256(to_utf8(item_key || chr(10) || image_hash))) as digest
  from last_states
  where state = 'present'
    and coalesce(element_at(cast(json_parse(:without) as map(varchar, bigint)), item_key), 0) = 0
)
select
  {digest-sums}
from hashed
