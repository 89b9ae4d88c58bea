near.four_seconds = event_time_us / 4000000
    and abs(near.call_us - event_time_us) <= 3000000
    and actor_source <> 'service'
    and time_precision <> 'arrival'
    and strpos(near.makes, event_name) > 0
    -- of another table, or of the same in another region or account
    and (
      near.entry_table is null
      or near.entry_table = table_name
      or strpos(near.entry_table || '"', 'table/' || table_name || '"') > 0
    )
    and coalesce(near.awsregion = region, true)
    and (
      case
        when near.resource_text is null then near.entry_table is not null
        when table_arn is null then strpos(near.resource_text, 'table/' || table_name || '"') > 0
        else strpos(near.resource_text, '"' || table_arn || '"') > 0
      end
    )
    -- what shows at once to be another key, so that a busy table has few pairs
    and (
      near.key_text is null
      or coalesce(not regexp_like(text1, '\A[ !#-\[\]-~]+\z'), true)
      or regexp_like(text1, '\Atoken:[0-9a-f]{32}\z')
      or regexp_like(near.key_text, '\A[\s\S]*(HIDDEN_DUE|\*\*\*)[\s\S]*\z')
      or strpos(near.key_text, text1) > 0
    )
