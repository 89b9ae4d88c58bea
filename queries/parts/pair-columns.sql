told_keys.*,
    near.call_us,
    near.eventid,
    near.requestid,
    near.place,
    near.eventname,
    near.eventtime,
    near.operation,
    near.errorcode,
    near.written,
    near.put_names,
    near.makes,
    near.entry_table,
    near.key_text,
    near.resource_text,
    near.sourceipaddress,
    near.useragent,
    near.useridentity.sessioncontext.sessionissuer.arn as caller_role,
    near.useridentity.sessioncontext.sourceidentity as source_identity,
    near.useridentity.invokedby as invoked_by,
    coalesce(
      near.useridentity.arn,
      near.useridentity.accountid || ' ' || near.useridentity.principalid,
      near.useridentity.principalid,
      near.useridentity.invokedby,
      'not told'
    ) as caller,
    coalesce(
      json_extract_scalar(element_at(near.call_key, name1), '$'),
      json_extract_scalar(element_at(near.call_key, name1), '$.S'),
      json_extract_scalar(element_at(near.call_key, name1), '$.N')
    ) as called1,
    coalesce(
      json_extract_scalar(element_at(near.call_key, name2), '$'),
      json_extract_scalar(element_at(near.call_key, name2), '$.S'),
      json_extract_scalar(element_at(near.call_key, name2), '$.N')
    ) as called2
