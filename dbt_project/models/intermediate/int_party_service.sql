with complaints as (
    select
        record.party_id,
        record.business_date,
        {{ days_between('cast(complaint.received_at as date)', 'record.business_date') }} as days_ago,
        complaint.resolved_at is null as is_open
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_service__complaint') }} as complaint
        on
            record.source = complaint.source
            and record.record_key = complaint.complaint_key
            and record.business_date >= complaint.valid_from
            and record.business_date < complaint.valid_to
    where record.contract = 'service.complaint' and record.role = 'complainant'
),

totals as (
    select
        party_id,
        business_date,
        count(*) filter (where days_ago < 365) as complaints_365d,
        count(*) filter (where is_open) as complaints_open,
        max(case when is_open then days_ago end) as complaint_open_days,
        min(days_ago) as days_since_complaint
    from complaints
    group by party_id, business_date
)

select
    party.party_id,
    party.business_date,
    {{ once_delivered('delivered.first_row_on', 'totals.complaints_365d') }} as complaints_365d,
    {{ once_delivered('delivered.first_row_on', 'totals.complaints_open') }} as complaints_open,
    totals.complaint_open_days,
    totals.days_since_complaint,
    {{ delivered_share('delivered', 'party.business_date', 365) }} as service_completeness
from {{ ref('int_party') }} as party
inner join {{ ref('int_delivery_as_of') }} as delivered
    on party.business_date = delivered.business_date and delivered.contract = 'service.complaint'
left join totals
    on party.party_id = totals.party_id and party.business_date = totals.business_date
