-- The balance of a day is not stored for every day: it changes only with a booking, so the days with bookings and the
-- first day of each window say everything. Earlier bookings count on the first day of the longer window.
with owned as (
    select
        party_id,
        business_date,
        account_key,
        {{ add_days('business_date', -364) }} as first_of_365,
        {{ add_days('business_date', -89) }} as first_of_90
    from {{ ref('int_party_account') }}
    where is_owned
),

movements as (
    select
        owned.party_id,
        owned.business_date,
        owned.first_of_90,
        greatest(account_day.business_date, owned.first_of_365) as moved_on,
        account_day.credit_amount - account_day.debit_amount as movement
    from owned
    inner join {{ ref('int_account_day') }} as account_day
        on
            owned.account_key = account_day.account_key
            and owned.business_date >= account_day.business_date
    union all
    select
        party_id,
        business_date,
        first_of_90,
        first_of_365 as moved_on,
        cast(0 as decimal(18, 2)) as movement
    from owned
    union all
    select
        party_id,
        business_date,
        first_of_90,
        first_of_90 as moved_on,
        cast(0 as decimal(18, 2)) as movement
    from owned
),

days as (
    select
        party_id,
        business_date,
        first_of_90,
        moved_on,
        cast(sum(movement) as decimal(18, 2)) as movement
    from movements
    group by party_id, business_date, first_of_90, moved_on
),

balances as (
    select
        party_id,
        business_date,
        first_of_90,
        moved_on,
        movement,
        -- How many of the last 90 days the movement is part of the balance.
        least({{ days_between('moved_on', 'business_date') }} + 1, 90) as days_effective,
        cast(
            sum(movement) over (
                partition by party_id, business_date
                order by moved_on nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as end_of_day
    from days
),

totals as (
    select
        party_id,
        business_date,
        cast(sum(movement) as decimal(18, 2)) as balance,
        min(end_of_day) filter (where moved_on >= first_of_90) as balance_min_90d,
        min(end_of_day) as balance_min_365d,
        cast(sum(cast(movement as decimal(28, 2)) * days_effective) as decimal(34, 2)) as sum_of_90_days
    from balances
    group by party_id, business_date
)

select
    party_id,
    business_date,
    balance,
    balance_min_90d,
    balance_min_365d,
    {{ quotient('sum_of_90_days', 90, scale=2, type='decimal(18, 2)') }} as balance_avg_90d
from totals
