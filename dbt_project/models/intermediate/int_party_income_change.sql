-- Whether income still arrives: the last whole month against the median of the months before, by the calendar, since
-- wages come by the month and 30 days may hold two or none; and the day of the last income.
{% set party = ['party_id', 'business_date'] %}
{% set whole_until = add_days('as_of.business_date', 1) %}

with days as (
    select
        booking.party_id,
        as_of.business_date,
        (extract(year from {{ whole_until }}) - extract(year from booking.business_date)) * 12
        + extract(month from {{ whole_until }}) - extract(month from booking.business_date) as months_ago,
        booking.business_date as booked_on,
        booking.income_amount
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_party_account_day') }} as booking
        on
            as_of.business_date >= booking.business_date
            and {{ add_days('as_of.business_date', -180) }} < booking.business_date
    where booking.income_amount > 0
),

months as (
    select
        party_id,
        business_date,
        months_ago,
        max(booked_on) as last_income_on,
        cast(sum(income_amount) as decimal(18, 2)) as income
    from days
    group by party_id, business_date, months_ago
),

regular as (
    select
        party_id,
        business_date,
        income
    from months
    where
        months_ago > 1
        and months_ago <= {{ policy('early_warning.income_months') }}
        and income >= {{ policy('low_risk.min_period_income') }}
),

usual as (
    {{ twice_median('regular', 'income', party) }}
),

latest as (
    select
        party_id,
        business_date,
        max(last_income_on) as last_income_on,
        {{ sum_measure('income_amount', 'case when months_ago = 1 then income end') }} as income
    from months
    group by party_id, business_date
)

select
    latest.party_id,
    latest.business_date,
    {{ days_between('latest.last_income_on', 'latest.business_date') }} as days_since_income,
    latest.last_income_on,
    {{ quotient(
        'least(latest.income * 2, usual.twice_median * 99999)', 'usual.twice_median', scale=4, type='decimal(9, 4)'
    ) }} as income_share
from latest
inner join usual
    on latest.party_id = usual.party_id and latest.business_date = usual.business_date
where usual.observations >= {{ policy('early_warning.min_income_months') }}
