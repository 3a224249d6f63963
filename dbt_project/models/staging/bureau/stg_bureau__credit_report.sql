{{ config(materialized='view') }}

select
    source,
    report_key,
    national_id_token,
    uscc_token,
    report_date,
    open_loans,
    loan_balance,
    card_limit,
    card_balance,
    worst_days_past_due_24m,
    inquiries_6m,
    business_date
from {{ source('bureau', 'credit_report') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
