{{ config(materialized='view') }}

select
    source,
    filing_key,
    uscc_token,
    period,
    tax_type,
    declared_revenue,
    tax_due,
    tax_paid,
    filed_on,
    is_late,
    credit_grade,
    business_date
from {{ source('tax', 'filing') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
