-- Whether income still arrives: of 180 days, the last 60 against the 120 before, and the day of the last one.
with days as (
    select
        day.party_id,
        as_of.business_date,
        day.business_date as booked_on,
        {{ days_between('day.business_date', 'as_of.business_date') }} as days_ago,
        day.income_amount
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_party_account_day') }} as day
        on
            as_of.business_date >= day.business_date
            and {{ add_days('as_of.business_date', -180) }} < day.business_date
    where day.income_amount > 0
),

periods as (
    select
        party_id,
        business_date,
        {{ integer_divide('days_ago', 30) }} as period,
        max(booked_on) as last_income_on,
        cast(sum(income_amount) as decimal(18, 2)) as income
    from days
    group by 1, 2, 3
),

totals as (
    select
        party_id,
        business_date,
        max(last_income_on) as last_income_on,
        {{ sum_measure('income_amount', 'case when period in (0, 1) then income end') }} as income_60d,
        {{ sum_measure('income_amount', 'case when period not in (0, 1) then income end') }} as income_120d_before,
        count(*) filter (
            where period > 1 and income >= {{ policy('low_risk.min_period_income') }}
        ) as periods_before
    from periods
    group by party_id, business_date
)

-- Four periods with income in the 120 days before: it was regular, so that its absence says something.
select
    party_id,
    business_date,
    {{ days_between('last_income_on', 'business_date') }} as days_since_income,
    last_income_on,
    case
        when income_60d * 2 >= income_120d_before * 99999 then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('income_60d * 2', 'income_120d_before', scale=4, type='decimal(9, 4)') }}
    end as income_share
from totals
where periods_before >= {{ policy('early_warning.min_income_periods') }}
