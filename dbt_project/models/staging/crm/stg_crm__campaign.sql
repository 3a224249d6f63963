with history as (
    {{ landed_history(source('crm', 'campaign'), key='campaign_key') }}
)

select
    source,
    campaign_key,
    product_key,
    channel,
    starts_on,
    ends_on,
    holdout_share,
    valid_from,
    valid_to
from history
