with contacts as (
    select
        record.party_id,
        record.business_date,
        count(*) as contacts
    from {{ ref('int_crm_party') }} as record
    inner join {{ ref('stg_crm__contact') }} as contact
        on
            record.customer_key = contact.customer_key
            and record.business_date >= contact.business_date
            and {{ add_days('record.business_date', -30) }} < contact.business_date
    where contact.event = 'contacted'
    group by record.party_id, record.business_date
),

delivered as (
    select
        business_date,
        count(first_row_on) filter (where contract = 'consent.event') as consents,
        count(first_row_on) filter (where contract = 'crm.customer') as customers,
        min(first_row_on) filter (where contract = 'crm.contact') as contacts_from
    from {{ ref('int_delivery_as_of') }}
    group by business_date
),

parties as (
    select
        party.party_id,
        party.business_date,
        party.has_phone or party.has_email or party.has_address as has_channel,
        consent.consent_marketing,
        consent.marketing_opt_out,
        delivered.consents,
        delivered.customers,
        case when delivered.contacts_from is null then 0 else 1 end as contacts_known,
        {{ once_delivered('delivered.contacts_from', 'contacts.contacts') }} as contacts_30d
    from {{ ref('int_party') }} as party
    inner join delivered
        on party.business_date = delivered.business_date
    left join {{ ref('int_party_consent') }} as consent
        on party.party_id = consent.party_id and party.business_date = consent.business_date
    left join contacts
        on party.party_id = contacts.party_id and party.business_date = contacts.business_date
),

verdicts as (
    select
        *,
        case
            when consent_marketing is null then 'consent_unknown'
            when marketing_opt_out then 'opted_out'
            when not consent_marketing then 'no_consent'
            when not has_channel then 'no_channel'
            when contacts_30d >= {{ policy('contactability.max_contacts_30d') }} then 'contact_cap'
        end as contact_refusal
    from parties
)

select
    party_id,
    business_date,
    contacts_30d,
    contact_refusal is null as may_be_contacted,
    contact_refusal,
    {{ quotient('consents + customers + contacts_known', 3, scale=4, type='decimal(9, 4)') }}
        as contactability_completeness
from verdicts
