with history as (
    {{ landed_history(source('core', 'standing_order'), key='order_key') }}
)

select
    source,
    order_key,
    account_key,
    valid_from,
    valid_to
from history
