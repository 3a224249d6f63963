with worst as (
    select
        debtor.party_id,
        debtor.business_date,
        count(*) as facilities,
        count(facility.class_level) as facilities_evaluable,
        max(facility.class_level) as class_level
    from {{ ref('int_facility_debtor') }} as debtor
    inner join {{ ref('int_facility_classification') }} as facility
        on
            debtor.business_date = facility.business_date
            and debtor.facility_kind = facility.facility_kind
            and debtor.facility_key = facility.facility_key
    group by debtor.party_id, debtor.business_date
)

select
    party.party_id,
    party.business_date,
    cast(coalesce(worst.facilities, 0) as bigint) as facilities,
    coalesce(worst.facilities_evaluable = worst.facilities, false) as is_evaluable,
    {{ class_of('worst.class_level') }} as worst_class
from {{ ref('int_party') }} as party
left join worst
    on party.party_id = worst.party_id and party.business_date = worst.business_date
