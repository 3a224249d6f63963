{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

{% set measures = ['bookings', 'credit_amount', 'debit_amount'] %}

-- Every class has a row per side, so that a side that is missing counts as zero. Only dates of the ledger are compared.
with controlled as (
    select distinct business_date
    from {{ ref('stg_core__ledger_control') }}
),

sides as (
    select
        business_date,
        account_class,
        bookings as ledger_bookings,
        credit_amount as ledger_credit_amount,
        debit_amount as ledger_debit_amount,
        0 as landed_bookings,
        0 as landed_credit_amount,
        0 as landed_debit_amount
    from {{ ref('stg_core__ledger_control') }}
    where {{ in_run('business_date') }}
    union all
    select
        account_day.business_date,
        coalesce(account.account_class, 'unknown') as account_class,
        0 as ledger_bookings,
        0 as ledger_credit_amount,
        0 as ledger_debit_amount,
        account_day.credit_count + account_day.debit_count as landed_bookings,
        account_day.credit_amount as landed_credit_amount,
        account_day.debit_amount as landed_debit_amount
    from {{ ref('int_account_day') }} as account_day
    inner join controlled
        on account_day.business_date = controlled.business_date
    left join {{ ref('stg_core__account') }} as account
        on
            account_day.account_key = account.account_key
            and account_day.business_date >= account.valid_from
            and account_day.business_date < account.valid_to
    where {{ in_run('account_day.business_date') }}
),

totals as (
    select
        account_class,
        {% for measure in measures -%}
            {{ sum_measure(measure, 'ledger_' ~ measure) }} as ledger_{{ measure }},
            {{ sum_measure(measure, 'landed_' ~ measure) }} as landed_{{ measure }},
            {{ sum_measure(measure, 'ledger_' ~ measure ~ ' - landed_' ~ measure) }} as {{ measure }}_difference,
        {% endfor -%}
        business_date
    from sides
    group by business_date, account_class
),

quarantined as (
    select
        business_date,
        cast(sum(quarantined) filter (where measure = 'rows') as bigint) as quarantined_bookings,
        cast(sum(quarantined) filter (where measure = 'amount') as decimal(18, 2)) as quarantined_amount
    from {{ source('control', 'landing') }}
    where contract = 'core.transaction'
    group by business_date
),

days as (
    select
        totals.*,
        coalesce(quarantined.quarantined_bookings, 0) as quarantined_bookings,
        coalesce(quarantined.quarantined_amount, 0) as quarantined_amount,
        sum(totals.bookings_difference) over (partition by totals.business_date) as day_bookings,
        sum(totals.credit_amount_difference + totals.debit_amount_difference) over (
            partition by totals.business_date
        ) as day_amount,
        min(least(totals.bookings_difference, totals.credit_amount_difference, totals.debit_amount_difference)) over (
            partition by totals.business_date
        ) as least_difference
    from totals
    left join quarantined
        on totals.business_date = quarantined.business_date
)

-- A row in quarantine does not say of which class its account is, so the classes of a day are explained together.
select
    account_class,
    {% for measure in measures -%}
        ledger_{{ measure }},
        landed_{{ measure }},
        {{ measure }}_difference,
    {% endfor -%}
    quarantined_bookings,
    quarantined_amount,
    case
        when bookings_difference = 0 and credit_amount_difference = 0 and debit_amount_difference = 0 then 'agreed'
        when least_difference >= 0 and day_bookings <= quarantined_bookings and day_amount <= quarantined_amount
            then 'explained'
        else 'broken'
    end as status,
    business_date
from days
