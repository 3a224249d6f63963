{{ config(materialized='view') }}

select
    source,
    contact_key,
    campaign_key,
    customer_key,
    event,
    event_date,
    business_date
from {{ source('crm', 'contact') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
