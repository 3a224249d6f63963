with history as (
    {{ landed_history(source('crm', 'customer'), key='customer_key') }}
)

select
    source,
    customer_key,
    party_key,
    national_id_token,
    phone_token,
    email_token,
    address_token,
    district_key,
    occupation,
    education,
    marital_status,
    household_size,
    annual_income,
    channel_preference,
    investor_risk_level,
    manager_key,
    valid_from,
    valid_to
from history
