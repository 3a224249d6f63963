{{ config(materialized='view') }}

select
    source,
    event_key,
    party_key,
    event_time,
    action,
    purpose,
    data_class,
    partner,
    business_date
from {{ source('consent', 'event') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
