{{ config(materialized='view') }}

select
    source,
    event_key,
    app_user_key,
    phone_token,
    device_id_token,
    event_time,
    event_type,
    product_key,
    business_date
from {{ source('channel', 'app_event') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
