-- What came of the campaigns that contacted a party in 180 days; who was held out and converted is not among them.
with contacts as (
    select
        record.party_id,
        record.business_date,
        record.source,
        record.customer_key,
        contact.campaign_key
    from {{ ref('int_crm_party') }} as record
    inner join {{ ref('stg_crm__contact') }} as contact
        on
            record.customer_key = contact.customer_key
            and record.business_date >= contact.business_date
            and {{ add_days('record.business_date', -180) }} < contact.business_date
    where contact.event = 'contacted'
)

select
    contacts.party_id,
    contacts.business_date,
    count(distinct contacts.campaign_key) as campaigns_180d,
    count(answer.contact_key) filter (where answer.event = 'responded') > 0 as has_responded_180d,
    count(answer.contact_key) filter (where answer.event = 'converted') > 0 as has_converted_180d
from contacts
left join {{ ref('stg_crm__contact') }} as answer
    on
        contacts.customer_key = answer.customer_key
        and contacts.campaign_key = answer.campaign_key
        and contacts.business_date >= answer.business_date
        and answer.event in ('responded', 'converted')
group by contacts.party_id, contacts.business_date
