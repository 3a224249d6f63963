{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    app_user_key,
    phone_token,
    device_id_token,
    cast(count(*) as bigint) as events,
    cast(count(*) filter (where event_type = 'login') as bigint) as logins,
    cast(count(*) filter (where event_type = 'view_product') as bigint) as product_views,
    business_date
from {{ ref('stg_channel__app_event') }}
where {{ in_run('business_date') }}
group by source, app_user_key, phone_token, device_id_token, business_date
