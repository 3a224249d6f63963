with loans as (
    select
        loan.business_date,
        loan.loan_key,
        loan.account_key,
        loan.granted_on
    from {{ ref('int_loan_arrears') }} as loan
    inner join {{ ref('int_delivery_as_of') }} as delivered
        on loan.business_date = delivered.business_date
    where
        delivered.contract = 'loan.repayment'
        and delivered.first_row_on is not null
        -- Known only of a loan whose first instalment is known, or is still to come.
        and loan.outstanding_principal is not null
),

instalments as (
    select
        loans.business_date,
        loans.loan_key,
        repayment.event_date as due_on,
        cast(
            sum(repayment.amount) over (
                partition by loans.business_date, loans.loan_key
                order by
                    repayment.event_date nulls last,
                    repayment.instalment_no nulls last,
                    repayment.repayment_key nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as due_so_far
    from loans
    inner join {{ ref('stg_loan__repayment') }} as repayment
        on loans.loan_key = repayment.loan_key and loans.business_date >= repayment.business_date
    where repayment.event = 'due'
),

payments as (
    select
        loans.business_date,
        loans.loan_key,
        repayment.business_date as paid_on,
        cast(
            sum(repayment.amount) over (
                partition by loans.business_date, loans.loan_key
                order by repayment.business_date nulls last, repayment.repayment_key nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as paid_so_far
    from loans
    inner join {{ ref('stg_loan__repayment') }} as repayment
        on loans.loan_key = repayment.loan_key and loans.business_date >= repayment.business_date
    where repayment.event = 'paid'
),

settled as (
    select
        instalments.business_date,
        instalments.loan_key,
        instalments.due_on,
        instalments.due_so_far,
        min(payments.paid_on) as settled_on
    from instalments
    left join payments
        on
            instalments.business_date = payments.business_date
            and instalments.loan_key = payments.loan_key
            and instalments.due_so_far <= payments.paid_so_far
    group by instalments.business_date, instalments.loan_key, instalments.due_on, instalments.due_so_far
),

crossed as (
    select
        {% for stage, threshold in {
            'early': policy('classification.vintage_early_days'), 'late': policy('classification.vintage_late_days'),
        }.items() -%}
            {%- set since = add_days('due_on', 'floor(' ~ threshold ~ ') + 1') -%}
            min({{ since }}) filter (where {{ since }} < coalesce(settled_on, {{ add_days('business_date', 1) }}))
                as {{ stage }}_on,
        {% endfor -%}
        business_date,
        loan_key
    from settled
    group by business_date, loan_key
)

select
    loans.business_date,
    loans.loan_key,
    loans.account_key,
    loans.granted_on,
    crossed.early_on,
    crossed.late_on
from loans
left join crossed
    on loans.business_date = crossed.business_date and loans.loan_key = crossed.loan_key
