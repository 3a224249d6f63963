with history as (
    {{ landed_history(source('service', 'complaint'), key='complaint_key') }}
)

select
    source,
    complaint_key,
    phone_token,
    party_key,
    received_at,
    category,
    channel,
    severity,
    is_complex,
    product_key,
    responded_at,
    resolved_at,
    valid_from,
    valid_to
from history
