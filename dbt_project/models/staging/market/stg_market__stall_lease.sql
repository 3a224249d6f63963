with history as (
    {{ landed_history(source('market', 'stall_lease'), key='lease_key') }}
)

select
    source,
    lease_key,
    stall_no,
    merchant_uscc_token,
    owner_phone_token,
    category,
    monthly_rent,
    leased_from,
    leased_to,
    valid_from,
    valid_to
from history
