{{ config(materialized='view') }}

select
    source,
    repayment_key,
    loan_key,
    event,
    event_date,
    instalment_no,
    amount,
    principal_amount,
    business_date
from {{ source('loan', 'repayment') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
