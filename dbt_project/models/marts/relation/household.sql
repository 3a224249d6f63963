select
    party_id,
    business_date,
    household_id,
    household_size,
    household_evidence
from {{ source('relation', 'household') }}
