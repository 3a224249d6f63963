with owing as (
    select
        facility.business_date,
        facility.facility_kind,
        facility.facility_key,
        holding.party_id
    from {{ ref('int_facility') }} as facility
    inner join {{ ref('int_holding') }} as holding
        on
            facility.account_key = holding.account_key
            and facility.business_date >= holding.valid_from
            and facility.business_date < holding.valid_to
    where facility.facility_kind = 'loan' and holding.role = 'owner'
    union
    select
        facility.business_date,
        facility.facility_kind,
        facility.facility_key,
        holding.party_id
    from {{ ref('int_facility') }} as facility
    inner join {{ ref('int_holding') }} as holding
        on
            facility.holding_key = holding.holding_key
            and facility.business_date >= holding.valid_from
            and facility.business_date < holding.valid_to
    where facility.facility_kind = 'card'
)

select
    owing.business_date,
    owing.facility_kind,
    owing.facility_key,
    owing.party_id,
    party.party_kind = 'organisation' as is_non_retail,
    row_number() over (
        partition by owing.business_date, owing.facility_kind, owing.facility_key
        order by owing.party_id asc nulls last
    ) as debtor_no
from owing
inner join {{ source('identity', 'party') }} as party
    on owing.party_id = party.party_id
