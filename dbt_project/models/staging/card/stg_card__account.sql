with history as (
    {{ landed_history(source('card', 'account'), key='card_key') }}
)

select
    source,
    card_key,
    holding_key,
    card_kind,
    credit_limit,
    valid_from,
    valid_to
from history
