-- A date that is an as-of date and lies a month before another has the same rows from both, which `union` makes one.
with delivered as (
    select
        business_date,
        min(first_row_on) filter (where contract = 'loan.repayment') as repayments,
        min(first_row_on) filter (where contract = 'card.statement') as statements
    from (
        select
            business_date,
            contract,
            first_row_on
        from {{ ref('int_delivery_as_of') }}
        union
        select
            business_date,
            contract,
            first_row_on
        from {{ ref('int_delivery_month_before') }}
    ) as deliveries
    group by business_date
),

loans as (
    {% for arrears in [ref('int_loan_arrears'), ref('int_loan_arrears_before')] -%}
        select
            business_date,
            loan_key,
            account_key,
            term_ends_on,
            arrears_amount,
            days_past_due,
            outstanding_principal,
            derived_principal
        from {{ arrears }}
        {% if not loop.last %}union{% endif %}
    {% endfor %}
),

cards as (
    {% for arrears in [ref('int_card_arrears'), ref('int_card_arrears_before')] -%}
        select
            business_date,
            card_key,
            holding_key,
            statement_balance,
            days_past_due
        from {{ arrears }}
        {% if not loop.last %}union{% endif %}
    {% endfor %}
)

select
    loans.business_date,
    'loan' as facility_kind,
    loans.loan_key as facility_key,
    loans.account_key,
    cast(null as string) as holding_key,
    case when delivered.repayments is not null then cast(loans.days_past_due as bigint) end as days_past_due,
    case
        when delivered.repayments is not null then coalesce(loans.outstanding_principal, loans.derived_principal)
    end as outstanding_amount,
    case
        when delivered.repayments is null then null
        when loans.outstanding_principal is not null then 'recorded'
        when loans.derived_principal is not null then 'derived'
    end as amount_basis
from loans
inner join delivered
    on loans.business_date = delivered.business_date
where
    (delivered.repayments is not null and (loans.arrears_amount > 0 or loans.outstanding_principal > 0))
    or (
        loans.term_ends_on > loans.business_date
        and coalesce(
            case
                when delivered.repayments is not null
                    then coalesce(loans.outstanding_principal, loans.derived_principal) > 0
            end, true
        )
    )
union all
select
    cards.business_date,
    'card' as facility_kind,
    cards.card_key as facility_key,
    cast(null as string) as account_key,
    cards.holding_key,
    case when delivered.statements is not null then cast(cards.days_past_due as bigint) end as days_past_due,
    case when delivered.statements is not null then cards.statement_balance end as outstanding_amount,
    case when delivered.statements is not null then 'recorded' end as amount_basis
from cards
inner join delivered
    on cards.business_date = delivered.business_date
