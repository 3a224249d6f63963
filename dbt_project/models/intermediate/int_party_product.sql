with accounts as (
    select
        party_id,
        business_date,
        cast(count(*) filter (where is_owned) as bigint) as accounts_owned,
        cast(count(*) filter (where not is_owned) as bigint) as accounts_disposed,
        min(opened_on) as relationship_since
    from {{ ref('int_party_account') }}
    group by party_id, business_date
),

cards as (
    select
        holding.party_id,
        as_of.business_date,
        cast(count(distinct card.source || ' ' || card.card_key) as bigint) as cards_held
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_card__account') }} as card
        on
            as_of.business_date >= card.valid_from
            and as_of.business_date < card.valid_to
    inner join {{ ref('int_holding') }} as holding
        on
            card.holding_key = holding.holding_key
            and as_of.business_date >= holding.valid_from
            and as_of.business_date < holding.valid_to
    group by holding.party_id, as_of.business_date
),

-- A loan that is no longer delivered was granted all the same, but is not active.
loans as (
    select
        as_of.business_date,
        loan.account_key,
        loan.principal,
        loan.monthly_payment,
        loan.term_ends_on > as_of.business_date and loan.valid_to > as_of.business_date as is_active,
        row_number() over (
            partition by as_of.business_date, loan.source, loan.loan_key
            order by loan.valid_from desc nulls last
        ) as recency
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_loan__contract') }} as loan
        on as_of.business_date >= loan.valid_from
),

loan_totals as (
    select
        account.party_id,
        account.business_date,
        cast(count(*) as bigint) as loans_granted,
        cast(count(*) filter (where loans.is_active) as bigint) as loans_active,
        cast(sum(loans.principal) filter (where loans.is_active) as decimal(18, 2)) as loan_principal_active,
        cast(sum(loans.monthly_payment) filter (where loans.is_active) as decimal(18, 2)) as loan_monthly_payment
    from {{ ref('int_party_account') }} as account
    inner join loans
        on
            account.business_date = loans.business_date
            and account.account_key = loans.account_key
    where account.is_owned and loans.recency = 1
    group by account.party_id, account.business_date
),

orders as (
    select
        account.party_id,
        account.business_date,
        cast(count(*) as bigint) as standing_orders
    from {{ ref('int_party_account') }} as account
    inner join {{ ref('stg_core__standing_order') }} as standing_order
        on
            account.account_key = standing_order.account_key
            and account.business_date >= standing_order.valid_from
            and account.business_date < standing_order.valid_to
    where account.is_owned
    group by account.party_id, account.business_date
)

select
    accounts.party_id,
    accounts.business_date,
    accounts.accounts_owned,
    accounts.accounts_disposed,
    accounts.relationship_since,
    coalesce(cards.cards_held, 0) as cards_held,
    coalesce(orders.standing_orders, 0) as standing_orders,
    coalesce(loan_totals.loans_granted, 0) as loans_granted,
    coalesce(loan_totals.loans_active, 0) as loans_active,
    coalesce(loan_totals.loan_principal_active, 0) as loan_principal_active,
    coalesce(loan_totals.loan_monthly_payment, 0) as loan_monthly_payment
from accounts
left join cards
    on accounts.party_id = cards.party_id and accounts.business_date = cards.business_date
left join orders
    on accounts.party_id = orders.party_id and accounts.business_date = orders.business_date
left join loan_totals
    on accounts.party_id = loan_totals.party_id and accounts.business_date = loan_totals.business_date
