with history as (
    {{ landed_history(source('payroll', 'agreement'), key='agreement_key') }}
)

select
    source,
    agreement_key,
    employer_party_key,
    employee_count,
    average_salary,
    signed_on,
    valid_from,
    valid_to
from history
