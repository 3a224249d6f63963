-- The balance of a day is not stored for every day: it changes only with a booking, so the days with bookings and the
-- first day of each window say everything. Earlier bookings count on the first day of the longer window.
with owned as (
    select
        party_id,
        business_date,
        account_key,
        -- A number to group by: there is a movement for each day with bookings, and a party_id is long.
        dense_rank() over (order by business_date nulls last, party_id nulls last) as party_no
    from {{ ref('int_party_account') }}
    where is_owned
),

movements as (
    select
        owned.party_no,
        least({{ days_between('account_day.business_date', 'owned.business_date') }}, 364) as days_ago,
        account_day.credit_amount - account_day.debit_amount as movement
    from owned
    inner join {{ ref('int_account_day') }} as account_day
        on
            owned.account_key = account_day.account_key
            and owned.business_date >= account_day.business_date
    {% for days in [365, 90] -%}
        union all
        select
            party_no,
            {{ days - 1 }} as days_ago,
            cast(0 as decimal(18, 2)) as movement
        from owned
    {% endfor %}
),

days as (
    select
        party_no,
        days_ago,
        cast(sum(movement) as decimal(18, 2)) as movement
    from movements
    group by party_no, days_ago
),

balances as (
    select
        party_no,
        days_ago,
        movement,
        -- How many of the last 90 days the movement is part of the balance.
        least(days_ago + 1, 90) as days_effective,
        cast(
            sum(movement) over (
                partition by party_no
                order by days_ago desc nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as end_of_day
    from days
),

totals as (
    select
        party_no,
        cast(sum(movement) as decimal(18, 2)) as balance,
        min(end_of_day) filter (where days_ago < 90) as balance_min_90d,
        min(end_of_day) as balance_min_365d,
        cast(sum(cast(movement as decimal(28, 2)) * days_effective) as decimal(34, 2)) as sum_of_90_days,
        cast(sum(cast(movement as decimal(28, 2)) * (days_ago + 1)) as decimal(34, 2)) as sum_of_365_days
    from balances
    group by party_no
),

parties as (
    select distinct
        party_no,
        party_id,
        business_date
    from owned
)

select
    parties.party_id,
    parties.business_date,
    totals.balance,
    totals.balance_min_90d,
    totals.balance_min_365d,
    {{ quotient('totals.sum_of_90_days', 90, scale=2, type='decimal(18, 2)') }} as balance_avg_90d,
    {{ quotient('totals.sum_of_365_days', 365, scale=2, type='decimal(18, 2)') }} as balance_avg_365d
from totals
inner join parties
    on totals.party_no = parties.party_no
