-- Instalments that fell due in 90 days and were settled late, or not yet.
with instalments as (
    select
        loan.business_date,
        loan.loan_key,
        loan.account_key,
        repayment.instalment_no,
        min(case when repayment.event = 'due' then repayment.event_date end) as due_on,
        max(case when repayment.event = 'paid' then repayment.event_date end) as paid_on
    from {{ ref('int_loan_arrears') }} as loan
    inner join {{ ref('stg_loan__repayment') }} as repayment
        on
            loan.loan_key = repayment.loan_key
            and loan.business_date >= repayment.business_date
            and {{ add_days('loan.business_date', -180) }} < repayment.event_date
    group by loan.business_date, loan.loan_key, loan.account_key, repayment.instalment_no
),

late as (
    select
        *,
        {{ days_between('due_on', 'coalesce(paid_on, business_date)') }}
        >= {{ policy('early_warning.late_days') }} as is_late,
        {{ add_days('due_on', 'floor(' ~ policy('early_warning.late_days') ~ ')') }} as late_on
    from instalments
    where {{ add_days('business_date', -90) }} < due_on
)

select
    account.party_id,
    late.business_date,
    cast(count(*) filter (where late.is_late) as bigint) as late_instalments,
    min(case when late.is_late then late.late_on end) as first_late_on
from late
inner join {{ ref('int_party_account') }} as account
    on
        late.business_date = account.business_date
        and late.account_key = account.account_key
where account.is_owned
group by account.party_id, late.business_date
