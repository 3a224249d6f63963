with complaints as (
    select
        as_of.business_date,
        complaint.source,
        complaint.complaint_key,
        complaint.category,
        complaint.channel,
        complaint.product_key,
        cast(complaint.received_at as date) as received_on,
        {{ days_between('cast(complaint.received_at as date)', 'as_of.business_date') }} as days_ago
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_service__complaint') }} as complaint
        on
            as_of.business_date >= complaint.valid_from
            and as_of.business_date < complaint.valid_to
),

-- The 30 days that end on the date, and the 90 days before them.
windows as (
    select
        complaints.*,
        record.party_id,
        party.district_key
    from complaints
    left join {{ ref('int_record_party') }} as record
        on
            record.contract = 'service.complaint'
            and record.role = 'complainant'
            and complaints.business_date = record.business_date
            and complaints.source = record.source
            and complaints.complaint_key = record.record_key
    left join {{ ref('int_party') }} as party
        on
            record.party_id = party.party_id
            and record.business_date = party.business_date
    where complaints.days_ago < 30 or complaints.days_ago - 30 < 90
)

{% for kind, code in complaint_cells().items() %}
    select
        business_date,
        '{{ kind }}' as cell_kind,
        {{ code }} as cell,
        source,
        complaint_key,
        party_id,
        {{ 'product_key' if 'product' in kind else 'cast(null as string) as product_key' }},
        received_on,
        days_ago < 30 as is_recent
    from windows
    where {{ code }} is not null
    {%- if not loop.last %} union all {% endif %}
{% endfor %}
