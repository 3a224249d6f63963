with history as (
    {{ landed_history(source('crm', 'customer'), key='customer_key') }}
)

select
    source,
    customer_key,
    party_key,
    national_id_token,
    phone_token,
    occupation,
    education,
    marital_status,
    annual_income,
    channel_preference,
    investor_risk_level,
    valid_from,
    valid_to
from history
