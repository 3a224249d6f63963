-- The last six 30-day periods; period 0 ends on the business date.
with bookings as (
    select
        booked.party_id,
        as_of.business_date,
        {{ integer_divide(days_between('booked.business_date', 'as_of.business_date'), 30) }} as period,
        booked.income_amount,
        booked.household_count,
        booked.insurance_count
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_party_account_day') }} as booked
        on
            as_of.business_date >= booked.business_date
            and {{ add_days('as_of.business_date', -180) }} < booked.business_date
),

periods as (
    select
        party_id,
        business_date,
        period,
        cast(sum(income_amount) as decimal(18, 2)) as income,
        cast(sum(household_count) as bigint) as household_payments,
        cast(sum(insurance_count) as bigint) as insurance_payments
    from bookings
    group by party_id, business_date, period
),

totals as (
    select
        party_id,
        business_date,
        cast(sum(income) as decimal(18, 2)) as income_amount_180d,
        -- Wider than the sum itself: DuckDB would multiply 18 digits within 18.
        cast(sum(cast(income as decimal(19, 2)) * cast(income as decimal(19, 2))) as decimal(36, 4)) as income_squares,
        cast(count(*) filter (where income >= {{ policy('low_risk.min_period_income') }}) as bigint) as income_periods,
        cast(count(*) filter (where household_payments > 0) as bigint) as household_periods,
        cast(count(*) filter (where insurance_payments > 0) as bigint) as insurance_periods
    from periods
    group by party_id, business_date
)

select
    party_id,
    business_date,
    income_amount_180d,
    income_periods,
    household_periods,
    insurance_periods,
    {{ variation('income_amount_180d', 'income_squares', 6) }} as income_variation
from totals
