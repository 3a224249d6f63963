{{ config(materialized='view') }}

select
    source,
    penalty_key,
    uscc_token,
    penalised_on,
    violation,
    amount,
    business_date
from {{ source('environment', 'penalty') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
