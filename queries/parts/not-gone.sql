-- no complete baseline since its last change lacks the item
coalesce(
  element_at(cast(json_parse(:gone) as map(varchar, bigint)), cast(event_time_us as varchar) || ' ' || item_key),
  0
) = 0
