with known as (
    select
        as_of.business_date,
        crosswalk.party_id,
        party.party_kind,
        party.gender,
        party.birth_month,
        party.district_key,
        party.has_phone,
        row_number() over (
            partition by as_of.business_date, coalesce(crosswalk.party_id, party.party_key)
            order by crosswalk.founded_on nulls last, party.source nulls last, party.party_key nulls last
        ) as seniority
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_core__party') }} as party
        on
            as_of.business_date >= party.valid_from
            and as_of.business_date < party.valid_to
    left join {{ source('identity', 'party_crosswalk') }} as crosswalk
        on
            party.source = crosswalk.source
            and party.party_key = crosswalk.record_key
)

select
    party_id,
    business_date,
    party_kind,
    gender,
    birth_month,
    district_key,
    has_phone
from known
where seniority = 1
