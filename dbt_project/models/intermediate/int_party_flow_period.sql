-- The last twelve 30-day periods; period 0 ends on the as-of date. A period without a booking has zeros, but none is
-- there before the first account was opened or bookings were delivered.
with owners as (
    select
        party_id,
        business_date,
        min(opened_on) as owned_since
    from {{ ref('int_party_account') }}
    where is_owned
    group by party_id, business_date
),

known as (
    select
        owners.party_id,
        owners.business_date,
        {{ integer_divide(
            'greatest(' ~ days_between(
                'greatest(owners.owned_since, delivered.first_row_on)', 'owners.business_date'
            ) ~ ' + 1, 0)', 30
        ) }} as periods
    from owners
    inner join {{ ref('int_delivery_as_of') }} as delivered
        on owners.business_date = delivered.business_date and delivered.contract = 'core.transaction'
),

numbers as (
    {% for period in range(12) -%}
        select {{ period }} as period
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

days as (
    select
        booking.party_id,
        owners.business_date,
        {{ integer_divide(days_between('booking.business_date', 'owners.business_date'), 30) }} as period,
        booking.credit_amount,
        booking.debit_amount
    from owners
    inner join {{ ref('int_party_account_day') }} as booking
        on
            owners.party_id = booking.party_id
            and owners.business_date >= booking.business_date
            and {{ add_days('owners.business_date', -365) }} < booking.business_date
),

booked as (
    select
        party_id,
        business_date,
        period,
        cast(sum(credit_amount) as decimal(18, 2)) as credit_amount,
        cast(sum(debit_amount) as decimal(18, 2)) as debit_amount
    from days
    group by party_id, business_date, period
)

select
    known.party_id,
    known.business_date,
    numbers.period,
    cast(coalesce(booked.credit_amount - booked.debit_amount, 0) as decimal(18, 2)) as net_amount,
    cast(coalesce(booked.debit_amount, 0) as decimal(18, 2)) as debit_amount
from known
inner join numbers
    on known.periods > numbers.period
left join booked
    on
        known.party_id = booked.party_id
        and known.business_date = booked.business_date
        and numbers.period = booked.period
