{% set quantiles = {
    'mild': policy('stress.mild_quantile'), 'severe': policy('stress.severe_quantile'),
    'extreme': policy('stress.extreme_quantile'),
} %}

with scenarios as (
    {% for scenario, quantile in quantiles.items() -%}
        select
            '{{ scenario }}' as scenario,
            cast({{ quantile }} as decimal(9, 6)) as quantile
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

facilities as (
    select
        loss.*,
        scenarios.scenario,
        scenarios.quantile,
        cast(loss.pd as double) as pd_number,
        cast(scenarios.quantile as double) as factor,
        cast(loss.asset_correlation as double) as r,
        coalesce(loss.grade, 'none') as grade_or_none
    from {{ ref('expected_loss') }} as loss
    cross join scenarios
    where loss.not_evaluable is null
),

quantiles as (
    select
        *,
        {{ normal_quantile('pd_number') }} as pd_quantile,
        {{ normal_quantile('factor') }} as factor_quantile
    from facilities
),

thresholds as (
    select
        *,
        {{ conditional_threshold('pd_quantile', 'r', 'factor_quantile') }} as threshold
    from quantiles
),

stressed as (
    select
        *,
        case
            when pd_basis = 'default' then pd
            else cast(round({{ normal_cdf('threshold') }}, 6) as decimal(9, 6))
        end as stressed_pd
    from thresholds
)

select
    business_date,
    scenario,
    asset_class,
    grade_or_none as grade,
    quantile,
    count(*) as facilities,
    cast(sum(ead) as decimal(18, 2)) as ead,
    cast(sum(expected_loss) as decimal(18, 2)) as expected_loss,
    -- The loss is larger in a bad year, too.
    cast(sum(
        cast(round(stressed_pd * lgd_downturn * cast(ead as decimal(38, 2)), 2) as decimal(18, 2))
    ) as decimal(18, 2)) as stressed_loss,
    cast(round(cast(sum(pd) as double) / count(*), 6) as decimal(9, 6)) as mean_pd,
    cast(round(cast(sum(stressed_pd) as double) / count(*), 6) as decimal(9, 6)) as mean_stressed_pd
from stressed
group by business_date, scenario, asset_class, grade_or_none, quantile
