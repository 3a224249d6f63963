-- Who acts for a business in the same record is known by its consent, unless they took their own back.
with held_back as (
    select
        record.business_date,
        record.contract,
        record.source,
        record.record_key,
        record.role,
        record.party_id,
        rules.acts_for
    from {{ ref('int_record_party') }} as record
    inner join {{ source('control', 'sharing_rule') }} as rules
        on record.contract = rules.contract and record.role = rules.role
)

select
    held_back.business_date,
    held_back.contract,
    held_back.source,
    held_back.record_key,
    held_back.role,
    held_back.party_id
from held_back
left join {{ ref('int_sharing') }} as own
    on
        held_back.party_id = own.party_id
        and held_back.business_date = own.business_date
        and held_back.contract = own.contract
        and held_back.source = own.source
left join {{ ref('int_record_party') }} as principal
    on
        held_back.acts_for = principal.role
        and held_back.business_date = principal.business_date
        and held_back.contract = principal.contract
        and held_back.source = principal.source
        and held_back.record_key = principal.record_key
left join {{ ref('int_sharing') }} as theirs
    on
        principal.party_id = theirs.party_id
        and principal.business_date = theirs.business_date
        and principal.contract = theirs.contract
        and principal.source = theirs.source
where coalesce(own.is_given, theirs.is_given, false)
