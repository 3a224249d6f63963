-- Loans that an owner of the account got in the 90 days that end on the as-of date.
select
    account.party_id,
    account.business_date,
    cast(count(distinct loan.loan_key) as bigint) as new_loans,
    min(loan.granted_on) as first_new_loan_on
from {{ ref('int_party_account') }} as account
inner join {{ ref('stg_loan__contract') }} as loan
    on
        account.account_key = loan.account_key
        and account.business_date >= loan.valid_from
        and account.business_date < loan.valid_to
        and {{ add_days('account.business_date', -90) }} < loan.granted_on
where account.is_owned
group by account.party_id, account.business_date
