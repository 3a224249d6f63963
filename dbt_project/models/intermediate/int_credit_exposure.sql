with pledges as (
    select
        as_of.business_date,
        collateral.loan_key,
        collateral.collateral_type,
        sum(collateral.appraised_value) as appraised_value
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_loan__collateral') }} as collateral
        on
            as_of.business_date >= collateral.valid_from
            and as_of.business_date < collateral.valid_to
    group by as_of.business_date, collateral.loan_key, collateral.collateral_type
),

ordered as (
    select
        business_date,
        loan_key,
        collateral_type,
        cast(appraised_value as decimal(18, 2)) as collateral_value,
        row_number() over (
            partition by business_date, loan_key
            order by appraised_value desc nulls last, collateral_type asc nulls last
        ) as size_no
    from pledges
),

main_pledge as (
    select *
    from ordered
    where size_no = 1
),

loans as (
    select
        arrears.business_date,
        arrears.loan_key,
        arrears.account_key,
        arrears.outstanding_principal,
        arrears.days_past_due,
        loan.loan_type,
        pledged.collateral_type,
        pledged.collateral_value
    from {{ ref('int_loan_arrears') }} as arrears
    inner join {{ ref('stg_loan__contract') }} as loan
        on
            arrears.loan_key = loan.loan_key
            and arrears.business_date >= loan.valid_from
            and arrears.business_date < loan.valid_to
    left join main_pledge as pledged
        on
            arrears.business_date = pledged.business_date
            and arrears.loan_key = pledged.loan_key
),

-- A holding may be of a card for several intervals; on one day it is of one party.
card_holders as (
    select distinct
        card.business_date,
        card.card_key,
        card.statement_balance,
        card.credit_limit,
        card.days_past_due,
        holding.party_id
    from {{ ref('int_card_arrears') }} as card
    inner join {{ ref('int_holding') }} as holding
        on
            card.holding_key = holding.holding_key
            and card.business_date >= holding.valid_from
            and card.business_date < holding.valid_to
)

select
    loans.business_date,
    'loan' as facility_kind,
    loans.loan_key as facility_key,
    account.party_id,
    loans.loan_type,
    loans.outstanding_principal as drawn_amount,
    cast(0 as decimal(18, 2)) as undrawn_amount,
    loans.days_past_due,
    loans.collateral_type,
    coalesce(loans.collateral_value, cast(0 as decimal(18, 2))) as collateral_value
from loans
inner join {{ ref('int_party_account') }} as account
    on
        loans.business_date = account.business_date
        and loans.account_key = account.account_key
where account.is_owned and account.party_id is not null
union all
select
    business_date,
    'card' as facility_kind,
    card_key as facility_key,
    party_id,
    cast(null as string) as loan_type,
    cast(greatest(statement_balance, 0) as decimal(18, 2)) as drawn_amount,
    cast(
        greatest(coalesce(credit_limit, 0) - greatest(statement_balance, 0), 0) as decimal(18, 2)
    ) as undrawn_amount,
    days_past_due,
    cast(null as string) as collateral_type,
    cast(0 as decimal(18, 2)) as collateral_value
from card_holders
where party_id is not null
