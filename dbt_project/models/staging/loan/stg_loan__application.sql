{{ config(materialized='view') }}

select
    source,
    application_key,
    party_key,
    product_key,
    applied_on,
    decided_on,
    amount,
    purpose,
    decision,
    declared_income,
    business_date
from {{ source('loan', 'application') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
