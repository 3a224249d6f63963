select
    party_id,
    business_date,
    purpose,
    data_class,
    partner,
    valid_from,
    known_from,
    valid_to,
    known_to,
    is_given
from {{ ref('int_consent_state') }}
