with history as (
    {{ landed_history(source('reference', 'product'), key='product_key') }}
)

select
    source,
    product_key,
    product_name,
    product_family,
    risk_grade,
    annual_rate,
    minimum_amount,
    launched_on,
    valid_from,
    valid_to
from history
