with history as (
    {{ landed_history(source('core', 'account'), key='account_key') }}
)

select
    source,
    account_key,
    opened_on,
    account_class,
    product_key,
    valid_from,
    valid_to
from history
