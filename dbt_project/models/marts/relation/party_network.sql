select
    party_id,
    business_date,
    component_id,
    component_size,
    pagerank,
    guarantee_circle_id,
    guarantee_circle_size,
    ring_id,
    ring_size,
    ring_identifiers,
    ring_lift
from {{ source('relation', 'party_network') }}
