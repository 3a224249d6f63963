-- Of every instalment: whether 90 days after it fell due it was still not paid in full, by what had been paid by then.
-- Payments settle the oldest instalment first, whatever instalment they name, as in int_loan_arrears.
with loans as (
    select
        as_of.business_date,
        loan.loan_key,
        loan.account_key
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_loan__contract') }} as loan
        on
            as_of.business_date >= loan.valid_from
            and as_of.business_date < loan.valid_to
),

repayments as (
    select
        loans.business_date,
        loans.loan_key,
        loans.account_key,
        repayment.event,
        repayment.event_date,
        repayment.amount,
        repayment.instalment_no,
        min(case when repayment.event = 'due' then repayment.instalment_no end) over (
            partition by loans.business_date, loans.loan_key
        ) as first_due_no
    from loans
    inner join {{ ref('stg_loan__repayment') }} as repayment
        on
            loans.loan_key = repayment.loan_key
            and loans.business_date >= repayment.business_date
),

-- An instalment stands on the day on which it is 90 days past due, beside what is paid on that day.
steps as (
    select
        business_date,
        loan_key,
        account_key,
        event_date as falls_due_on,
        {{ add_days('event_date', 90) }} as on_day,
        amount as due,
        cast(0 as decimal(18, 2)) as paid
    from repayments
    where event = 'due'
    union all
    select
        business_date,
        loan_key,
        account_key,
        cast(null as date) as falls_due_on,
        event_date as on_day,
        cast(0 as decimal(18, 2)) as due,
        amount as paid
    from repayments
    where event = 'paid' and instalment_no >= coalesce(first_due_no, instalment_no)
),

balances as (
    select
        business_date,
        account_key,
        falls_due_on,
        on_day,
        sum(due - paid) over (
            partition by business_date, loan_key
            order by on_day nulls last
            range between unbounded preceding and current row
        ) as owed
    from steps
)

select distinct
    business_date,
    account_key,
    on_day as defaulted_on
from balances
where falls_due_on is not null and owed > 0 and on_day <= business_date
