with history as (
    {{ landed_history(source('loan', 'collateral'), key='collateral_key') }}
)

select
    source,
    collateral_key,
    loan_key,
    collateral_type,
    appraised_value,
    appraised_on,
    valid_from,
    valid_to
from history
