with landings as (
    select *
    from {{ source('control', 'landing') }}
    where
        business_date between {{ run_from() }} and {{ run_to() }}
        and contract in (
            {% for contract in landed_contracts() -%}
                '{{ contract.id }}'{{ ',' if not loop.last }}
            {% endfor -%}
        )
),

rolled_up as (
    select
        business_date,
        source,
        cast(sum(credit_count + debit_count) as bigint) as bookings,
        cast(sum(credit_amount + debit_amount) as decimal(38, 2)) as amount
    from {{ ref('int_account_day') }}
    where business_date between {{ run_from() }} and {{ run_to() }}
    group by business_date, source
),

-- The way from the account to the mart once more, without the roll-up per party that the mart is made from. A party
-- owns an account once, by however many holdings: what of a holding an earlier one covers is cut off.
holdings as (
    select
        party_id,
        account_key,
        valid_to,
        greatest(valid_from, coalesce(max(valid_to) over (
            partition by party_id, account_key
            order by valid_from nulls last, valid_to nulls last, holding_key nulls last, source nulls last
            rows between unbounded preceding and 1 preceding
        ), valid_from)) as owned_from
    from {{ ref('int_holding') }}
    where role = 'owner'
),

owned as (
    select
        party.business_date,
        cast(sum(account_day.credit_count + account_day.debit_count) as bigint) as bookings,
        cast(sum(account_day.credit_amount + account_day.debit_amount) as decimal(38, 2)) as amount
    from {{ ref('int_party') }} as party
    inner join holdings
        on party.party_id = holdings.party_id
    inner join {{ ref('int_account_day') }} as account_day
        on
            holdings.account_key = account_day.account_key
            and holdings.owned_from <= account_day.business_date
            and holdings.valid_to > account_day.business_date
            and party.business_date >= account_day.business_date
            and {{ add_days('party.business_date', -365) }} < account_day.business_date
    group by party.business_date
),

-- Every comparison has a row per side, so that a side that is missing counts as zero.
sides as (
    select business_date, contract, source, 'trailer' as step, measure, declared as expected, delivered as actual
    from landings
    where declared is not null
    union all
    select business_date, contract, source, 'ingest', measure, delivered, accepted + unchanged + quarantined
    from landings
    union all
    select business_date, contract, source, 'lake', measure, accepted + tombstones, 0
    from landings
    union all
    select business_date, contract, source, 'lake', measure, 0, total
    from {{ ref('int_lake_total') }}
    union all
    select business_date, contract, source, 'warehouse', measure, 0, 0
    from landings
    where contract = 'core.transaction'
    union all
    select business_date, contract, source, 'warehouse', measure, total, 0
    from {{ ref('int_lake_total') }}
    where contract = 'core.transaction'
    {% for measure, total in [('rows', 'bookings'), ('amount', 'amount')] -%}
        union all
        select business_date, 'core.transaction', source, 'warehouse', '{{ measure }}', 0, {{ total }}
        from rolled_up
        union all
        select business_date, 'core.transaction', 'all', 'mart', '{{ measure }}', {{ total }}, 0
        from owned
    {% endfor -%}
    union all
    select business_date, 'core.transaction', 'all', 'mart', 'rows', 0, credit_count_365d + debit_count_365d
    from {{ ref('customer_360') }}
    union all
    select business_date, 'core.transaction', 'all', 'mart', 'amount', 0, credit_amount_365d + debit_amount_365d
    from {{ ref('customer_360') }}
),

totals as (
    select
        business_date,
        contract,
        source,
        step,
        measure,
        cast(sum(expected) as decimal(38, 2)) as expected,
        cast(sum(actual) as decimal(38, 2)) as actual
    from sides
    group by business_date, contract, source, step, measure
)

select
    business_date,
    contract,
    source,
    step,
    measure,
    expected,
    actual,
    cast(actual - expected as decimal(38, 2)) as difference,
    case when actual = expected then 'agreed' else 'broken' end as status
from totals
