{{ config(materialized='view') }}

select
    source,
    statement_key,
    card_key,
    statement_date,
    due_date,
    statement_balance,
    minimum_due,
    paid_amount,
    cash_advance_amount,
    business_date
from {{ source('card', 'statement') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
