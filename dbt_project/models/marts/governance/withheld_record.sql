select
    record.business_date,
    record.contract,
    record.source,
    record.role,
    count(*) as records,
    count(*) - count(shared.party_id) as records_withheld
from {{ ref('int_record_party') }} as record
inner join {{ source('control', 'sharing_rule') }} as rules
    on record.contract = rules.contract and record.role = rules.role
left join {{ ref('int_shared_record') }} as shared
    on
        record.business_date = shared.business_date
        and record.contract = shared.contract
        and record.source = shared.source
        and record.record_key = shared.record_key
        and record.role = shared.role
group by record.business_date, record.contract, record.source, record.role
