with history as (
    {{ landed_history(source('supply_chain', 'invoice'), key='invoice_key') }}
)

select
    source,
    invoice_key,
    seller_uscc_token,
    buyer_uscc_token,
    issued_on,
    due_on,
    amount,
    paid_on,
    valid_from,
    valid_to
from history
