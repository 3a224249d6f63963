select
    as_of.business_date,
    party.source,
    party.party_key,
    crosswalk.party_id
from {{ ref('int_as_of_date') }} as as_of
inner join {{ ref('stg_core__party') }} as party
    on
        as_of.business_date >= party.valid_from
        and as_of.business_date < party.valid_to
inner join {{ source('identity', 'party_crosswalk') }} as crosswalk
    on
        party.source = crosswalk.source
        and party.party_key = crosswalk.record_key
