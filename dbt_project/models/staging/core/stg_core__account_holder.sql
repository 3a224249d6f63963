with history as (
    {{ landed_history(source('core', 'account_holder'), key='holding_key') }}
)

select
    source,
    holding_key,
    party_key,
    account_key,
    role,
    valid_from,
    valid_to
from history
