with records as (
    select
        as_of.business_date,
        customer.source,
        customer.customer_key,
        customer.party_key,
        customer.national_id_token,
        customer.phone_token
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_crm__customer') }} as customer
        on
            as_of.business_date >= customer.valid_from
            and as_of.business_date < customer.valid_to
),

links as (
    select
        records.business_date,
        records.source,
        records.customer_key,
        typed.party_id as typed_party,
        by_national_id.party_id as national_id_party,
        by_phone.party_id as phone_party
    from records
    left join {{ ref('int_party_record') }} as typed
        on
            records.business_date = typed.business_date
            and records.party_key = typed.party_key
    left join {{ ref('int_identifier_party') }} as by_national_id
        on
            records.business_date = by_national_id.business_date
            and records.national_id_token = by_national_id.token
            and by_national_id.kind = 'national_id'
    left join {{ ref('int_identifier_party') }} as by_phone
        on
            records.business_date = by_phone.business_date
            and records.phone_token = by_phone.token
            and by_phone.kind = 'phone'
)

select
    business_date,
    source,
    customer_key,
    coalesce(typed_party, national_id_party, phone_party) as party_id,
    case
        when typed_party is not null then 'party_key'
        when national_id_party is not null then 'national_id'
        else 'phone'
    end as linked_by
from links
where coalesce(typed_party, national_id_party, phone_party) is not null
