with segments as (
    {{ portfolio_segments() }}
),

counted as (
    select
        as_of.business_date,
        segments.segment,
        facility.facility_key,
        facility.class_level,
        {{ class_of('facility.class_level') }} as risk_class,
        facility.outstanding_amount
    from {{ ref('int_as_of_date') }} as as_of
    cross join segments
    left join {{ ref('int_facility_classification') }} as facility
        on as_of.business_date = facility.business_date and segments.counted = facility.segment
),

totals as (
    select
        business_date,
        segment,
        {% for name in classes() -%}
            count(*) filter (where risk_class = '{{ name }}') as facilities_{{ name }},
            cast(case
                when count(risk_class) > 0
                    then coalesce(sum(outstanding_amount) filter (where risk_class = '{{ name }}'), 0)
            end as decimal(18, 2)) as balance_{{ name }},
        {% endfor -%}
        count(facility_key) as facilities,
        count(facility_key) - count(class_level) as facilities_not_evaluable,
        count(*) filter (where class_level is not null and outstanding_amount is null) as facilities_amount_unknown
    from counted
    group by business_date, segment
),

sums as (
    select
        *,
        facilities_substandard + facilities_doubtful + facilities_loss as facilities_non_performing,
        balance_substandard + balance_doubtful + balance_loss as balance_non_performing,
        balance_normal + balance_special_mention + balance_substandard + balance_doubtful + balance_loss as balance
    from totals
)

select
    business_date,
    segment,
    cast(facilities as bigint) as facilities,
    cast(facilities_not_evaluable as bigint) as facilities_not_evaluable,
    cast(facilities_amount_unknown as bigint) as facilities_amount_unknown,
    {% for name in classes() -%}
        cast(facilities_{{ name }} as bigint) as facilities_{{ name }},
        balance_{{ name }},
    {% endfor -%}
    cast(facilities_non_performing as bigint) as facilities_non_performing,
    cast(balance_non_performing as decimal(18, 2)) as balance_non_performing,
    cast(balance as decimal(18, 2)) as balance,
    {{ quotient('balance_non_performing', 'balance', scale=4, type='decimal(9, 4)') }} as npl_ratio
from sums
