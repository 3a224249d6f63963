with parties as (
    select
        facility.*,
        customer.party_kind,
        customer.tax_revenue_365d,
        coalesce(facility.days_past_due >= {{ policy('grade.default_days') }}, false)
        or coalesce(grade.in_default, false) as in_default,
        coalesce(grade.pd, case customer.party_kind
            when 'organisation' then {{ policy('loss.organisation_pd') }}
            else {{ policy('loss.person_pd') }}
        end) as pd_alive,
        grade.grade,
        grade.pd is null as is_pooled
    from {{ ref('int_credit_exposure') }} as facility
    left join {{ ref('customer_360') }} as customer
        on facility.party_id = customer.party_id and facility.business_date = customer.business_date
    left join {{ ref('risk_grade') }} as grade
        on facility.party_id = grade.party_id and facility.business_date = grade.business_date
),

-- Whoever of several owes it with the highest probability of default stands for all of them.
weakest as (
    select
        *,
        row_number() over (
            partition by business_date, facility_kind, facility_key
            order by in_default desc nulls last, pd_alive desc nulls last, party_id asc nulls last
        ) as debtor_no
    from parties
),

facilities as (
    select
        *,
        case when in_default then cast(1 as decimal(9, 6)) else cast(pd_alive as decimal(9, 6)) end as pd,
        case when in_default then 'default' when is_pooled then 'pool' else 'scorecard' end as pd_basis,
        {{ facility_asset_class() }} as asset_class,
        cast(
            round(drawn_amount + undrawn_amount * {{ policy('loss.card_conversion') }}, 2) as decimal(18, 2)
        ) as ead
    from weakest
    where debtor_no = 1
),

severities as (
    select
        *,
        {{ facility_lgd() }} as lgd,
        cast(round({{ irb_correlation(
            'asset_class', 'cast(pd as double)',
            'cast(least(greatest(cast(tax_revenue_365d as double) / 1000000 / ' ~ policy('loss.currency_per_euro') ~ ', '
            ~ policy('loss.sme_size_floor') ~ '), ' ~ policy('loss.sme_size_cap') ~ ') as double)'
        ) }}, 6) as decimal(9, 6)) as asset_correlation
    from facilities
),

quantiles as (
    select
        *,
        cast(round(
            {{ policy('loss.downturn_intercept') }} + {{ policy('loss.downturn_slope') }} * lgd, 4
        ) as decimal(9, 4)) as lgd_downturn,
        cast(pd as double) as pd_number,
        cast({{ policy('loss.confidence') }} as double) as confidence,
        cast({{ policy('loss.maturity_years') }} as double) as maturity,
        cast(asset_correlation as double) as r
    from severities
),

thresholds as (
    select
        *,
        {{ normal_quantile('pd_number') }} as pd_quantile,
        {{ normal_quantile('confidence') }} as factor_quantile
    from quantiles
),

conditional as (
    select
        *,
        {{ conditional_threshold('pd_quantile', 'r', 'factor_quantile') }} as threshold
    from thresholds
),

capital as (
    select
        *,
        case
            -- In default it is what a downturn adds to the loss that is expected.
            when in_default then cast(lgd_downturn - lgd as decimal(9, 6))
            else cast(round(
                cast(lgd_downturn as double) * ({{ normal_cdf('threshold') }} - pd_number)
                * {{ irb_maturity('asset_class', 'pd_number', 'maturity') }}, 6
            ) as decimal(9, 6))
        end as capital_share
    from conditional
)

select
    party_id,
    business_date,
    facility_kind,
    facility_key,
    asset_class,
    grade,
    pd,
    pd_basis,
    lgd,
    lgd_downturn,
    ead,
    cast(round(pd * lgd * cast(ead as decimal(38, 2)), 2) as decimal(18, 2)) as expected_loss,
    asset_correlation,
    cast(capital_share * 12.5 as decimal(9, 4)) as risk_weight,
    cast(round(capital_share * cast(ead as decimal(38, 2)), 2) as decimal(18, 2)) as capital_requirement,
    case when ead is null then 'exposure_unknown' end as not_evaluable
from capital
