with linked as (
    select distinct
        party_id,
        business_date
    from {{ ref('int_crm_party') }}
),

events as (
    select
        record.party_id,
        record.business_date,
        contact.event,
        {{ days_between('contact.business_date', 'record.business_date') }} as days_ago
    from {{ ref('int_crm_party') }} as record
    inner join {{ ref('stg_crm__contact') }} as contact
        on
            record.customer_key = contact.customer_key
            and record.business_date >= contact.business_date
            and {{ add_days('record.business_date', -365) }} < contact.business_date
),

totals as (
    select
        party_id,
        business_date,
        count(*) filter (where event = 'contacted' and days_ago < 90) as contacts_90d,
        count(*) filter (where event = 'responded' and days_ago < 90) as responses_90d,
        count(*) filter (where event = 'converted') as conversions_365d
    from events
    group by party_id, business_date
)

select
    linked.party_id,
    linked.business_date,
    {% for measure in ['contacts_90d', 'responses_90d', 'conversions_365d'] -%}
        {{ once_delivered('delivered.first_row_on', 'totals.' ~ measure) }} as campaign_{{ measure }},
    {% endfor -%}
    {{ delivered_share('delivered', 'linked.business_date', 365) }} as campaign_completeness
from linked
inner join {{ ref('int_delivery_as_of') }} as delivered
    on linked.business_date = delivered.business_date and delivered.contract = 'crm.contact'
left join totals
    on linked.party_id = totals.party_id and linked.business_date = totals.business_date
