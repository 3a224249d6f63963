with history as (
    {{ landed_history(source('core', 'party'), key='party_key') }}
)

select
    source,
    party_key,
    party_kind,
    birth_month,
    gender,
    district_key,
    national_id_token,
    phone_token,
    uscc_token,
    address_token,
    occupation,
    industry_code,
    customer_since,
    valid_from,
    valid_to
from history
