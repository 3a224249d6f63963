-- Whether income still arrives: the last whole month against the median of the months before, by the calendar, since
-- wages come by the month and 30 days may hold two or none; and the day of the last income. Income that has stopped was
-- regular if it was so until then, however long ago (within the months that are looked at): a warning does not pass
-- because nothing changes.
{% set party = ['party_id', 'business_date'] %}
{% set months_back = policy('early_warning.income_months') %}

with looked_at as (
    select
        business_date,
        {{ add_days('business_date', 1) }} as whole_until,
        -- The months that may be silent, and as many before.
        {{ add_days('business_date', '-floor(31 * 2 * ' ~ months_back ~ ')') }} as since
    from {{ ref('int_as_of_date') }}
),

days as (
    select
        booking.party_id,
        looked_at.business_date,
        (extract(year from looked_at.whole_until) - extract(year from booking.business_date)) * 12
        + extract(month from looked_at.whole_until) - extract(month from booking.business_date) as months_ago,
        booking.business_date as booked_on,
        booking.income_amount
    from looked_at
    inner join {{ ref('int_party_account_day') }} as booking
        on
            looked_at.business_date >= booking.business_date
            and looked_at.since < booking.business_date
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

latest as (
    select
        party_id,
        business_date,
        greatest(min(months_ago), 2) as usual_since,
        max(last_income_on) as last_income_on,
        {{ sum_measure('income_amount', 'case when months_ago = 1 then income end') }} as income
    from months
    group by party_id, business_date
),

regular as (
    select
        months.party_id,
        months.business_date,
        months.income
    from months
    inner join latest
        on months.party_id = latest.party_id and months.business_date = latest.business_date
    where
        latest.usual_since <= {{ months_back }}
        and months.months_ago >= latest.usual_since
        and months.months_ago - latest.usual_since <= {{ months_back }} - 2
        and months.income >= {{ policy('low_risk.min_period_income') }}
),

usual as (
    {{ twice_median('regular', 'income', party) }}
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
