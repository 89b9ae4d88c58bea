-- From `paired` (a change beside a call near it) to `fitted`: whether the call can have made the change.

-- 1: the same; 0: another; null: nobody can tell
compared as (
  select
    paired.*,
    case
      when regexp_like(called1, '\A(HIDDEN_DUE_TO_SECURITY_REASONS|\*\*\*[\s\S]*)\z') then null
      when regexp_like(text1, '\Atoken:[0-9a-f]{32}\z') or regexp_like(number1, '\A1[0-9]{36}1\z') then null
      when called1 = text1 or called1 = number1 then 1
      when called1 <> text1 then 0
      when regexp_like(called1, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
        and regexp_like(number1, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
      then case when cast(called1 as decimal(38, 10)) = cast(number1 as decimal(38, 10)) then 1 else 0 end
    end as same1,
    case
      when name2 is null then 1
      when regexp_like(called2, '\A(HIDDEN_DUE_TO_SECURITY_REASONS|\*\*\*[\s\S]*)\z') then null
      when regexp_like(text2, '\Atoken:[0-9a-f]{32}\z') or regexp_like(number2, '\A1[0-9]{36}1\z') then null
      when called2 = text2 or called2 = number2 then 1
      when called2 <> text2 then 0
      when regexp_like(called2, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
        and regexp_like(number2, '\A(-|)[0-9]{1,20}(\.[0-9]{1,10}|)\z')
      then case when cast(called2 as decimal(38, 10)) = cast(number2 as decimal(38, 10)) then 1 else 0 end
    end as same2
  from paired
),
fitted as (
  select
    compared.*,
    case
      when actor_source = 'service' then 'stream'
      when eventid is null or same1 = 0 or same2 = 0 then null
      -- an error of the service itself does not say that nothing was written
      when errorcode is not null and errorcode not in (
        'InternalServerError', 'InternalServerErrorException', 'InternalFailure', 'ServiceUnavailable'
      ) then 'failed'
      -- UpdateItem changes no attribute that it does not name
      when written is not null
        and (
          (
            event_name = 'MODIFY'
            and changed is not null
            and cardinality(array_intersect(changed, written)) < cardinality(changed)
          )
          or (
            event_name = 'INSERT'
            and left_names is not null
            and cardinality(array_intersect(left_names, array_distinct(written || key_names))) < cardinality(left_names)
          )
        )
      then 'other attributes'
      -- PutItem leaves the attributes that it names, and no other
      when put_names is not null
        and left_names is not null
        and (
          cardinality(array_intersect(put_names, left_names)) < cardinality(put_names)
          or cardinality(
            array_intersect(left_names, put_names || key_names || {replica-names})
          ) < cardinality(left_names)
        )
      then 'other attributes'
      when same1 = 1 and same2 = 1 and errorcode is null then 'key'
      else 'unknown key'
    end as fit
  from compared
)
