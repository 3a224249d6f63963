with people as (
    select
        propensity.business_date,
        propensity.decile,
        case
            when grade.pd is null then 'not_evaluable'
            when grade.pd <= {{ policy('calibration.low_max_pd') }} then 'low'
            when grade.pd <= {{ policy('calibration.medium_max_pd') }} then 'medium'
            else 'high'
        end as pd_band,
        contact.party_id is not null as is_contacted,
        coalesce(contact.has_responded_180d, false) as has_responded,
        coalesce(contact.has_converted_180d, false) as has_converted,
        coalesce(customer.loans_active > 0 or customer.card_limit > 0, false) or outcome.party_id is not null
            as is_borrower,
        outcome.party_id is not null as is_bad
    from {{ ref('propensity_score') }} as propensity
    left join {{ ref('customer_360') }} as customer
        on propensity.party_id = customer.party_id and propensity.business_date = customer.business_date
    left join {{ ref('risk_grade') }} as grade
        on propensity.party_id = grade.party_id and propensity.business_date = grade.business_date
    left join {{ ref('int_party_contact') }} as contact
        on propensity.party_id = contact.party_id and propensity.business_date = contact.business_date
    left join {{ ref('int_party_default') }} as outcome
        on propensity.party_id = outcome.party_id and propensity.business_date = outcome.business_date
),

cells as (
    select
        business_date,
        pd_band,
        decile,
        count(*) as people,
        count(*) filter (where is_contacted) as contacted,
        count(*) filter (where has_responded) as responses,
        count(*) filter (where has_converted) as conversions,
        count(*) filter (where is_borrower) as borrowers,
        count(*) filter (where is_bad) as bads,
        {{ policy('calibration.minimum_group') }} as minimum_group
    from people
    group by business_date, pd_band, decile
),

-- Small cells of a band are one cell, of no decile; where that is small too, it is not shown.
shown as (
    select
        business_date,
        pd_band,
        case when people >= minimum_group then decile else 0 end as propensity_decile,
        cast(sum(people) as bigint) as people,
        cast(sum(contacted) as bigint) as contacted,
        cast(sum(responses) as bigint) as responses,
        cast(sum(conversions) as bigint) as conversions,
        cast(sum(borrowers) as bigint) as borrowers,
        cast(sum(bads) as bigint) as bads
    from cells
    group by business_date, pd_band, case when people >= minimum_group then decile else 0 end
    having sum(people) >= max(minimum_group)
),

rates as (
    select
        *,
        {% for name, successes, trials in [
            ('conversion_rate', 'conversions', 'contacted'), ('bad_rate', 'bads', 'borrowers'),
        ] -%}
            {{ quotient(successes, trials, scale=4, type='decimal(9, 4)') }} as {{ name }},
            {% for bound in ['low', 'high'] -%}
                {{ wilson(successes, trials, policy('calibration.wilson_z'), bound) }} as {{ name }}_{{ bound }},
            {% endfor -%}
        {% endfor -%}
        {{ integer_divide('people', 'cast(floor(' ~ policy('calibration.rounding') ~ ') as bigint)') }} as roundings
    from shown
),

advised as (
    select
        *,
        {{ calibration_reason() }} as reason
    from rates
)

select
    business_date,
    propensity_decile,
    pd_band,
    pd_band <> 'not_evaluable' as is_evaluable,
    people,
    contacted as contacted_180d,
    responses as responses_180d,
    conversions as conversions_180d,
    borrowers,
    bads as bads_180d,
    conversion_rate,
    conversion_rate_low,
    conversion_rate_high,
    bad_rate,
    bad_rate_low,
    bad_rate_high,
    case reason when 'surely_bad' then 'tighten' when 'surely_safe_and_worth_it' then 'relax' else 'hold' end as advice,
    reason,
    cast(roundings * floor({{ policy('calibration.rounding') }}) as bigint) as people_rounded,
    cast(round(conversion_rate, 2) as decimal(9, 4)) as conversion_rate_rounded
from advised
