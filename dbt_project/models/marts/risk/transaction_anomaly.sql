{% set measures = {
    'credit_amount_1d': 'amount', 'debit_amount_1d': 'amount', 'credit_amount_30d': 'amount',
    'debit_amount_30d': 'amount', 'bookings_30d': 'count', 'cash_share_30d': 'share',
    'new_counterparties_30d': 'count', 'structured_cash_30d': 'structured',
} %}
{% set far = policy('anomaly.min_robust_z') %}

with parties as (
    select
        conduct.*,
        customer.party_type || '/' || coalesce(segment.asset_tier, segment.enterprise_size, 'unknown') as peer_group
    from {{ ref('int_party_conduct') }} as conduct
    inner join {{ ref('customer_360') }} as customer
        on conduct.party_id = customer.party_id and conduct.business_date = customer.business_date
    left join {{ ref('customer_segment') }} as segment
        on conduct.party_id = segment.party_id and conduct.business_date = segment.business_date
),

-- Amounts and counts spread by factors, shares by differences. Who has none of a measure is no peer in it. An amount of
-- a day is held against the largest day of each peer: on most days most peers move next to nothing.
figures as (
    {% for measure, kind in measures.items() %}
        {%- set usual = {
            'credit_amount_1d': 'largest_credit_day_30d', 'debit_amount_1d': 'largest_debit_day_30d',
        }.get(measure, measure) %}
        {%- set scale = '%s' if kind == 'share' else 'ln(1 + %s)' %}
        select
            party_id,
            business_date,
            '{{ measure }}' as measure,
            '{{ kind }}' as kind,
            peer_group,
            cash_amount_30d,
            cast({{ measure }} as decimal(18, 4)) as value,
            cast({{ usual }} as decimal(18, 4)) as usual,
            {{ scale % ('cast(' ~ measure ~ ' as double)') }} as scaled,
            {{ scale % ('cast(' ~ usual ~ ' as double)') }} as usual_scaled
        from parties
        where {{ usual ~ ' > 0' if kind != 'share' else 'bookings_30d > 0' }}
        {%- if not loop.last %} union all {% endif %}
    {% endfor %}
),

medians as (
    select
        business_date,
        measure,
        peer_group,
        count(*) as peers,
        median(usual_scaled) as scaled_median,
        cast(round(median(cast(usual as double)), 4) as decimal(18, 4)) as peer_median
    from figures
    group by business_date, measure, peer_group
),

distances as (
    select
        figures.*,
        medians.peers,
        medians.peer_median,
        medians.scaled_median,
        median(abs(figures.usual_scaled - medians.scaled_median)) over (
            partition by figures.business_date, figures.measure, figures.peer_group
        ) as deviation
    from figures
    inner join medians
        on
            figures.business_date = medians.business_date
            and figures.measure = medians.measure
            and figures.peer_group = medians.peer_group
),

scores as (
    select
        *,
        case
            when kind <> 'structured' and peers >= {{ policy('anomaly.min_peers') }}
                then {{ peer_z(
                    'scaled', 'scaled_median', 'deviation', 'cast(' ~ policy('anomaly.min_spread') ~ ' as double)'
                ) }}
        end as robust_z
    from distances
)

select
    party_id,
    business_date,
    measure,
    value,
    peer_group,
    peers,
    peer_median,
    robust_z
from scores
where
    case kind
        when 'structured' then value >= {{ policy('anomaly.min_structured') }}
        when 'amount' then robust_z >= {{ far }} and value >= {{ policy('anomaly.min_amount') }}
        when 'count' then robust_z >= {{ far }} and value >= {{ policy('anomaly.min_count') }}
        else robust_z >= {{ far }} and cash_amount_30d >= {{ policy('anomaly.min_amount') }}
    end
