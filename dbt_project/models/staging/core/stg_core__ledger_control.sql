{{ config(materialized='view') }}

select
    source,
    control_date,
    account_class,
    bookings,
    credit_amount,
    debit_amount,
    business_date
from {{ source('core', 'ledger_control') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
