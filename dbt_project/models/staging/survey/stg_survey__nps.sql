{{ config(materialized='view') }}

select
    source,
    response_key,
    customer_key,
    answered_on,
    score,
    touchpoint,
    business_date
from {{ source('survey', 'nps') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
