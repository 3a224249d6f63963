{#- Each reason with when it holds, and what it counts. -#}
{% set reasons = {
    'large': ('members >= ' ~ policy('fraud_ring.large_members'), policy('fraud_ring.points_large')),
    'both_identifiers': ("shared_identifiers = 'device;phone'", policy('fraud_ring.points_both_identifiers')),
    'high_lift': ('lift >= ' ~ policy('fraud_ring.high_lift'), policy('fraud_ring.points_high_lift')),
    'new_accounts': ('accounts_opened_30d >= ' ~ policy('fraud_ring.min_accounts'), policy('fraud_ring.points_new_accounts')),
    'takeover': ('takeover_events_30d >= ' ~ policy('fraud_ring.min_takeovers'), policy('fraud_ring.points_takeover')),
    'applications': ('applications_90d >= ' ~ policy('fraud_ring.min_applications'), policy('fraud_ring.points_applications')),
    'past_due': ('members_past_due > 0', policy('fraud_ring.points_past_due')),
    'exposure': ('exposure >= ' ~ policy('fraud_ring.min_exposure'), policy('fraud_ring.points_exposure')),
} %}

with delivered as (
    select
        business_date,
        min(first_row_on) filter (where contract = 'channel.app_event') as first_event_on
    from {{ ref('int_delivery_as_of') }}
    group by business_date
),

rings as (
    select
        network.ring_id,
        network.business_date,
        max(network.ring_size) as members,
        max(network.ring_identifiers) as shared_identifiers,
        max(network.ring_lift) as lift,
        {{ sum_measure('count', 'member.accounts_opened_30d') }} as accounts_opened_30d,
        {{ sum_measure('count', 'member.takeover_events_30d') }} as takeover_events_30d,
        cast(sum(customer.applications_90d) as bigint) as applications_90d,
        cast(sum(
            case
                when customer.loan_outstanding_principal is null then customer.card_statement_balance
                else customer.loan_outstanding_principal + coalesce(customer.card_statement_balance, 0)
            end
        ) as decimal(18, 2)) as exposure,
        cast(sum(case when customer.days_past_due > 0 then 1 when customer.days_past_due = 0 then 0 end) as bigint)
            as members_past_due
    from {{ ref('party_network') }} as network
    inner join {{ ref('int_ring_member') }} as member
        on network.party_id = member.party_id and network.business_date = member.business_date
    left join {{ ref('customer_360') }} as customer
        on network.party_id = customer.party_id and network.business_date = customer.business_date
    where network.ring_id is not null
    group by network.ring_id, network.business_date
),

known as (
    select
        rings.ring_id,
        rings.business_date,
        rings.members,
        rings.shared_identifiers,
        rings.lift,
        rings.accounts_opened_30d,
        case when delivered.first_event_on is not null then rings.takeover_events_30d end as takeover_events_30d,
        rings.applications_90d,
        rings.exposure,
        rings.members_past_due
    from rings
    inner join delivered
        on rings.business_date = delivered.business_date
)

select
    known.*,
    cast(
        {% for holds, points in reasons.values() -%}
            case when {{ holds }} then {{ points }} else 0 end
            {{- ' + ' if not loop.last }}
        {% endfor -%}
        as bigint
    ) as score,
    nullif(concat_ws(
        ';',
        {% for reason, (holds, points) in reasons.items() -%}
            case when {{ holds }} then '{{ reason }}' end{{ ',' if not loop.last }}
        {% endfor -%}
    ), '') as reasons
from known
