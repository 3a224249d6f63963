select
    as_of.business_date,
    control.article,
    row_number() over (
        partition by as_of.business_date, control.article order by control.check_id, control.test
    ) as link_no,
    case when control.check_id <> '-' then substr(control.check_id, 1, position(':' in control.check_id) - 1) end
        as check_kind,
    case when control.check_id <> '-' then substr(control.check_id, position(':' in control.check_id) + 1) end
        as check_id,
    nullif(control.test, '-') as test,
    control.law_zh,
    control.law_en,
    control.rule_zh,
    control.rule_en,
    control.to_be_confirmed,
    control.gap_zh,
    control.gap_en
from {{ ref('int_as_of_date') }} as as_of
cross join {{ source('control', 'policy_control') }} as control
