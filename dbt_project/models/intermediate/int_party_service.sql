-- A complaint leads to the party whose number the agent found, else to the only one with the phone of the caller.
with complaints as (
    select
        as_of.business_date,
        coalesce(record.party_id, by_phone.party_id) as party_id,
        {{ days_between('cast(complaint.received_at as date)', 'as_of.business_date') }} as days_ago,
        complaint.resolved_at is null as is_open
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_service__complaint') }} as complaint
        on
            as_of.business_date >= complaint.valid_from
            and as_of.business_date < complaint.valid_to
    left join {{ ref('int_party_record') }} as record
        on
            as_of.business_date = record.business_date
            and complaint.party_key = record.party_key
    left join {{ ref('int_identifier_party') }} as by_phone
        on
            as_of.business_date = by_phone.business_date
            and complaint.phone_token = by_phone.token
            and by_phone.kind = 'phone'
),

totals as (
    select
        party_id,
        business_date,
        count(*) filter (where days_ago < 365) as complaints_365d,
        count(*) filter (where is_open) as complaints_open
    from complaints
    where party_id is not null
    group by party_id, business_date
)

select
    party.party_id,
    party.business_date,
    {{ once_delivered('delivered.first_row_on', 'totals.complaints_365d') }} as complaints_365d,
    {{ once_delivered('delivered.first_row_on', 'totals.complaints_open') }} as complaints_open,
    {{ delivered_share('delivered', 'party.business_date', 365) }} as service_completeness
from {{ ref('int_party') }} as party
inner join {{ ref('int_delivery_as_of') }} as delivered
    on party.business_date = delivered.business_date and delivered.contract = 'service.complaint'
left join totals
    on party.party_id = totals.party_id and party.business_date = totals.business_date
