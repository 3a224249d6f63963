-- Whoever owns the account that a loan is paid from is its borrower, and no surety for it.
with own_guarantees as (
    select distinct
        loan.business_date,
        guarantee.source,
        guarantee.guarantee_key
    from {{ ref('stg_loan__guarantee') }} as guarantee
    inner join {{ ref('int_loan_arrears') }} as loan
        on guarantee.loan_key = loan.loan_key
    inner join {{ ref('int_party_account') }} as account
        on
            loan.business_date = account.business_date
            and loan.account_key = account.account_key
    inner join {{ ref('int_record_party') }} as guarantor
        on
            account.business_date = guarantor.business_date
            and account.party_id = guarantor.party_id
            and guarantee.source = guarantor.source
            and guarantee.guarantee_key = guarantor.record_key
    where account.is_owned and guarantor.contract = 'loan.guarantee' and guarantor.role = 'guarantor'
),

guarantees as (
    select
        as_of.business_date,
        guarantee.loan_key,
        sum(guarantee.guaranteed_amount) as guaranteed_amount
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_loan__guarantee') }} as guarantee
        on
            as_of.business_date >= guarantee.valid_from
            and as_of.business_date < guarantee.valid_to
    left join own_guarantees as own
        on
            as_of.business_date = own.business_date
            and guarantee.source = own.source
            and guarantee.guarantee_key = own.guarantee_key
    where own.guarantee_key is null
    group by as_of.business_date, guarantee.loan_key
),

pledges as (
    select
        as_of.business_date,
        collateral.loan_key,
        sum(collateral.appraised_value) as appraised_value
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_loan__collateral') }} as collateral
        on
            as_of.business_date >= collateral.valid_from
            and as_of.business_date < collateral.valid_to
    group by as_of.business_date, collateral.loan_key
)

select
    account.party_id,
    account.business_date,
    cast(sum(loan.arrears_amount) as decimal(18, 2)) as arrears_amount,
    max(loan.days_past_due) as days_past_due,
    case
        when count(*) = count(loan.outstanding_principal)
            then cast(sum(loan.outstanding_principal) as decimal(18, 2))
    end as outstanding_principal,
    cast(coalesce(sum(guarantees.guaranteed_amount), 0) as decimal(18, 2)) as guaranteed_amount,
    cast(coalesce(sum(pledges.appraised_value), 0) as decimal(18, 2)) as collateral_value
from {{ ref('int_party_account') }} as account
inner join {{ ref('int_loan_arrears') }} as loan
    on
        account.business_date = loan.business_date
        and account.account_key = loan.account_key
left join guarantees
    on loan.business_date = guarantees.business_date and loan.loan_key = guarantees.loan_key
left join pledges
    on loan.business_date = pledges.business_date and loan.loan_key = pledges.loan_key
where account.is_owned
group by account.party_id, account.business_date
