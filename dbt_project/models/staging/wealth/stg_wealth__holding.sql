with history as (
    {{ landed_history(source('wealth', 'holding'), key='position_key') }}
)

select
    source,
    position_key,
    party_key,
    product_key,
    invested_amount,
    market_value,
    acquired_on,
    matures_on,
    valid_from,
    valid_to
from history
