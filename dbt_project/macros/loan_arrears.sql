{#-
  Arrears of the loans on record on each date of `as_of`, from instalments due and payments received that were known by
  then; `delivered` says for these dates since when a contract has rows. int_loan_arrears says what the columns mean.
-#}
{% macro loan_arrears(as_of, delivered) -%}
with loans as (
    select
        as_of.business_date,
        loan.loan_key,
        loan.account_key,
        loan.granted_on,
        loan.term_ends_on,
        loan.principal,
        cast(loan.annual_rate * 10000 as decimal(18, 2)) as rate_in_10000,
        -- Where instalments were delivered only later, what was paid back before is not known.
        coalesce({{ add_months('loan.granted_on', 1) }} < delivered.first_row_on, false) as began_before
    from {{ as_of }} as as_of
    inner join {{ ref('stg_loan__contract') }} as loan
        on as_of.business_date >= loan.valid_from and as_of.business_date < loan.valid_to
    left join {{ delivered }} as delivered
        on as_of.business_date = delivered.business_date and delivered.contract = 'loan.repayment'
),

events as (
    select
        loans.business_date,
        loans.loan_key,
        repayment.repayment_key,
        repayment.event,
        repayment.event_date,
        repayment.instalment_no,
        repayment.amount,
        repayment.principal_amount,
        min(repayment.instalment_no) over (partition by loans.business_date, loans.loan_key) as first_no,
        min(case when repayment.event = 'due' then repayment.instalment_no end) over (
            partition by loans.business_date, loans.loan_key
        ) as first_due_no
    from loans
    inner join {{ ref('stg_loan__repayment') }} as repayment
        on loans.loan_key = repayment.loan_key and loans.business_date >= repayment.business_date
),

totals as (
    select
        business_date,
        loan_key,
        cast(coalesce(sum(amount) filter (where event = 'due'), 0) as decimal(18, 2)) as due,
        -- A payment for an instalment that fell due before the first one known settles none that is known.
        cast(coalesce(
            sum(amount) filter (where event = 'paid' and instalment_no >= coalesce(first_due_no, instalment_no)), 0
        ) as decimal(18, 2)) as paid,
        min(first_no) as first_no,
        cast(coalesce(sum(principal_amount) filter (where event = 'paid'), 0) as decimal(18, 2)) as principal_paid,
        cast(coalesce(
            sum(principal_amount) filter (where event = 'paid' and instalment_no >= first_due_no), 0
        ) as decimal(18, 2)) as principal_paid_since,
        -- Twelve times the interest of the first instalment known: over the yearly rate, what was owed before it.
        cast(
            max(amount - principal_amount) filter (where event = 'due' and instalment_no = first_due_no)
            * 12 * 10000 as decimal(34, 2)
        ) as first_yearly_interest
    from events
    group by business_date, loan_key
),

-- Payments settle the oldest instalment first, whatever instalment they name: an instalment is settled once everything
-- due up to it is paid.
instalments as (
    select
        business_date,
        loan_key,
        event_date,
        cast(
            sum(amount) over (
                partition by business_date, loan_key
                order by event_date nulls last, instalment_no nulls last, repayment_key nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as due_so_far
    from events
    where event = 'due'
),

unpaid as (
    select
        instalments.business_date,
        instalments.loan_key,
        min(instalments.event_date) as unpaid_since
    from instalments
    inner join totals
        on instalments.business_date = totals.business_date and instalments.loan_key = totals.loan_key
    where instalments.due_so_far > totals.paid
    group by instalments.business_date, instalments.loan_key
)

select
    loans.business_date,
    loans.loan_key,
    loans.account_key,
    loans.granted_on,
    loans.term_ends_on,
    cast(greatest(coalesce(totals.due - totals.paid, 0), 0) as decimal(18, 2)) as arrears_amount,
    coalesce({{ days_between('unpaid.unpaid_since', 'loans.business_date') }}, 0) as days_past_due,
    case
        when totals.first_no = 1 or (totals.first_no is null and not loans.began_before)
            then cast(greatest(loans.principal - coalesce(totals.principal_paid, 0), 0) as decimal(18, 2))
    end as outstanding_principal,
    case
        when totals.first_yearly_interest > 0 and loans.rate_in_10000 > 0
            then cast(greatest(
                {{ quotient('totals.first_yearly_interest', 'loans.rate_in_10000', scale=2, type='decimal(18, 2)') }}
                - totals.principal_paid_since, 0
            ) as decimal(18, 2))
    end as derived_principal
from loans
left join totals
    on loans.business_date = totals.business_date and loans.loan_key = totals.loan_key
left join unpaid
    on loans.business_date = unpaid.business_date and loans.loan_key = unpaid.loan_key
{%- endmacro %}
