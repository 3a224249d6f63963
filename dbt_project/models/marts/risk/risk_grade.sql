{% set card = scorecards()['person'] %}
{% set bounds = [
    policy('grade.g1_max_pd'), policy('grade.g2_max_pd'), policy('grade.g3_max_pd'), policy('grade.g4_max_pd'),
    policy('grade.g5_max_pd'), policy('grade.g6_max_pd'), policy('grade.g7_max_pd'), policy('grade.g8_max_pd'),
    policy('grade.g9_max_pd'),
] %}

{{ scored(card, "customer_status = 'customer'") }},

arrears as (
    select
        scored.*,
        coalesce(customer.days_past_due >= {{ policy('grade.default_days') }}, false) as in_default
    from scored
    left join {{ ref('customer_360') }} as customer
        on
            scored.party_id = customer.party_id
            and scored.business_date = customer.business_date
),

rounded as (
    select
        *,
        case when in_default then cast(1 as decimal(9, 6)) else cast(round(pd_year, 6) as decimal(9, 6)) end as pd
    from arrears
)

select
    party_id,
    business_date,
    scorecard,
    score,
    cast(round(pd_window, 6) as decimal(9, 6)) as pd_window,
    pd,
    case
        when pd is null then null
        {% for bound in bounds -%}
            when not in_default and pd <= {{ bound }} then 'G{{ loop.index }}'
        {% endfor -%}
        else 'G10'
    end as grade,
    in_default,
    reason_1,
    reason_2,
    reason_3,
    not_evaluable
from rounded
