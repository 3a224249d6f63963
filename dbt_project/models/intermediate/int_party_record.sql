select
    record.business_date,
    record.source,
    party.party_key,
    record.party_id
from {{ ref('int_record_party') }} as record
inner join {{ ref('stg_core__party') }} as party
    on
        record.source = party.source
        and record.record_key = party.party_key
        and record.business_date >= party.valid_from
        and record.business_date < party.valid_to
where record.contract = 'core.party' and record.role = 'holder'
