with history as (
    {{ landed_history(source('loan', 'contract'), key='loan_key') }}
)

select
    source,
    loan_key,
    account_key,
    granted_on,
    principal,
    monthly_payment,
    product_key,
    loan_type,
    annual_rate,
    {{ add_months('granted_on', 'term_months') }} as term_ends_on,
    valid_from,
    valid_to
from history
