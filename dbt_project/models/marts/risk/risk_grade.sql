{% set card = scorecards()['person'] %}

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
        {% for n in range(1, 10) -%}
            when not in_default and pd <= {{ policy('grade.g' ~ n ~ '_max_pd') }} then 'G{{ n }}'
        {% endfor -%}
        else 'G10'
    end as grade,
    in_default,
    reason_1,
    reason_2,
    reason_3,
    not_evaluable
from rounded
