{{ config(materialized='view') }}

select
    source,
    contribution_key,
    national_id_token,
    employer_uscc_token,
    period,
    base_amount,
    paid_on,
    business_date
from {{ source('social_security', 'contribution') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
