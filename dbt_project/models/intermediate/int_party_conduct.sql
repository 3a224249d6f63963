{% set window %}
    dates.business_date >= booked.business_date
    and {{ add_days('dates.business_date', -30) }} < booked.business_date
{% endset %}

with dates as (
    select business_date
    from {{ ref('int_as_of_date') }}
),

days as (
    select
        booked.party_id,
        dates.business_date,
        booked.business_date = dates.business_date as is_today,
        sum(booked.credit_amount) as credit_amount,
        sum(booked.debit_amount) as debit_amount,
        sum(booked.credit_count + booked.debit_count) as bookings
    from dates
    inner join {{ ref('int_party_account_day') }} as booked
        on {{ window }}
    group by booked.party_id, dates.business_date, booked.business_date
),

flows as (
    select
        party_id,
        business_date,
        {% for side in ['credit', 'debit'] -%}
            {{ sum_measure(side ~ '_amount', 'case when is_today then ' ~ side ~ '_amount end') }}
                as {{ side }}_amount_1d,
            cast(max({{ side }}_amount) as decimal(18, 2)) as largest_{{ side }}_day_30d,
            {{ sum_measure(side ~ '_amount', side ~ '_amount') }} as {{ side }}_amount_30d,
        {% endfor -%}
        {{ sum_measure('count', 'bookings') }} as bookings_30d
    from days
    group by party_id, business_date
),

cash as (
    select
        owning.party_id,
        dates.business_date,
        {{ sum_measure('cash_amount', 'booked.amount * booked.bookings') }} as cash_amount_30d,
        {{ sum_measure('count', 'case when booked.amount >= ' ~ policy('anomaly.report_amount') ~ ' * '
            ~ policy('anomaly.near_share') ~ ' and booked.amount < ' ~ policy('anomaly.report_amount')
            ~ ' then booked.bookings end') }} as structured_cash_30d
    from dates
    inner join {{ ref('int_cash_day') }} as booked
        on {{ window }}
    inner join {{ ref('int_ownership') }} as owning
        on
            booked.account_key = owning.account_key
            and booked.business_date >= owning.owned_from
            and booked.business_date < owning.owned_to
    group by owning.party_id, dates.business_date
),

counterparties as (
    select
        owning.party_id,
        dates.business_date,
        booked.counterparty_account_token,
        min({{ days_between('booked.business_date', 'dates.business_date') }}) as last_days_ago,
        max({{ days_between('booked.business_date', 'dates.business_date') }}) as first_days_ago
    from dates
    inner join {{ ref('int_counterparty_day') }} as booked
        on
            dates.business_date >= booked.business_date
            and {{ add_days('dates.business_date', -90) }} < booked.business_date
    inner join {{ ref('int_ownership') }} as owning
        on
            booked.account_key = owning.account_key
            and booked.business_date >= owning.owned_from
            and booked.business_date < owning.owned_to
    group by owning.party_id, dates.business_date, booked.counterparty_account_token
),

newcomers as (
    select
        party_id,
        business_date,
        count(*) as new_counterparties_30d
    from counterparties
    where last_days_ago < 30 and first_days_ago < 30
    group by party_id, business_date
)

select
    flows.party_id,
    flows.business_date,
    flows.credit_amount_1d,
    flows.debit_amount_1d,
    flows.largest_credit_day_30d,
    flows.largest_debit_day_30d,
    flows.credit_amount_30d,
    flows.debit_amount_30d,
    flows.bookings_30d,
    coalesce(cash.cash_amount_30d, 0) as cash_amount_30d,
    coalesce({{ quotient(
        'coalesce(cash.cash_amount_30d, 0)', 'flows.credit_amount_30d + flows.debit_amount_30d', scale=4,
        type='decimal(9, 4)'
    ) }}, 0) as cash_share_30d,
    coalesce(newcomers.new_counterparties_30d, 0) as new_counterparties_30d,
    coalesce(cash.structured_cash_30d, 0) as structured_cash_30d
from flows
left join cash
    on flows.party_id = cash.party_id and flows.business_date = cash.business_date
left join newcomers
    on flows.party_id = newcomers.party_id and flows.business_date = newcomers.business_date
