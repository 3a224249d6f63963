{{ config(materialized='view') }}

select
    source,
    payment_key,
    patient_national_id_token,
    paid_on,
    amount,
    insured_amount,
    business_date
from {{ source('medical', 'payment') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
