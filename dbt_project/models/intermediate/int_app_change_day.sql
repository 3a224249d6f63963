{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    app_user_key,
    cast(count(*) filter (where event_type = 'change_phone') as bigint) as phone_changes,
    cast(count(*) filter (where event_type = 'reset_password') as bigint) as password_resets,
    business_date
from {{ ref('stg_channel__app_event') }}
where event_type in ('change_phone', 'reset_password') and {{ in_run('business_date') }}
group by source, app_user_key, business_date
