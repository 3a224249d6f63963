select
    record.business_date,
    record.source,
    customer.customer_key,
    record.party_id
from {{ ref('int_record_party') }} as record
inner join {{ ref('stg_crm__customer') }} as customer
    on
        record.source = customer.source
        and record.record_key = customer.customer_key
        and record.business_date >= customer.valid_from
        and record.business_date < customer.valid_to
where record.contract = 'crm.customer' and record.role = 'customer'
