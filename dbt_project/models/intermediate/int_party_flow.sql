{% set windows = {
    30: ['credit_amount', 'debit_amount', 'credit_count', 'debit_count', 'income_amount'],
    90: [
        'credit_amount', 'debit_amount', 'credit_count', 'debit_count', 'income_amount', 'household_amount',
        'insurance_amount', 'loan_payment_amount', 'cash_out_amount', 'card_amount', 'grocery_amount', 'dining_amount',
        'travel_amount', 'online_amount', 'education_amount',
    ],
    365: [
        'credit_amount', 'debit_amount', 'credit_count', 'debit_count', 'income_amount', 'penalty_interest_count',
        'fee_amount',
    ],
} %}

with dates as (
    select
        business_date,
        floor(greatest(365, {{ policy('lifecycle.dormant_days') }})) as days_looked_at
    from {{ ref('int_as_of_date') }}
),

days as (
    select
        dates.business_date,
        {{ days_between('booked.business_date', 'dates.business_date') }} as days_ago,
        {% for measure in flow_measures() -%}
            booked.{{ measure }},
        {% endfor -%}
        booked.party_id
    from dates
    inner join {{ ref('int_party_account_day') }} as booked
        on
            dates.business_date >= booked.business_date
            and {{ add_days('dates.business_date', '-dates.days_looked_at') }} < booked.business_date
)

select
    party_id,
    {% for days, measures in windows.items() -%}
        {% for measure in measures -%}
            {{ sum_measure(measure, 'case when days_ago < ' ~ days ~ ' then ' ~ measure ~ ' end') }}
                as {{ measure }}_{{ days }}d,
        {% endfor -%}
    {% endfor -%}
    min(days_ago) as days_since_booking,
    business_date
from days
group by party_id, business_date
