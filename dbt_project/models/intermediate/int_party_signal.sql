-- What early_warning looks at, one column per signal; empty where it cannot be told of the party.
with customers as (
    select
        party_id,
        business_date,
        party_kind
    from {{ ref('int_party') }}
    where is_customer
),

{% set rests_on = {
    'flow': 'int_party_flow_deviation', 'balance': 'int_party_balance', 'income': 'int_party_income_change',
    'turnover': 'int_party_turnover_change', 'card': 'int_party_card_change', 'late': 'int_party_late_payment',
    'credit': 'int_party_credit', 'loan': 'int_party_new_loan', 'bureau': 'int_party_bureau_change',
    'court': 'int_party_litigation', 'management': 'int_party_management_change',
} %}

delivered as (
    select
        business_date,
        min(case when contract = 'loan.contract' then first_row_on end) as loans,
        min(case when contract = 'loan.repayment' then first_row_on end) as repayments
    from {{ ref('int_delivery_as_of') }}
    group by business_date
)

select
    customers.party_id,
    customers.business_date,
    customers.party_kind,
    flow.flow_z,
    flow.outflow_z,
    case
        when balance.balance_avg_90d >= {{ policy('early_warning.min_balance') }}
            then {{ quotient(
                'greatest(least(balance.balance, balance.balance_avg_90d * 99999), -balance.balance_avg_90d * 99999)',
                'balance.balance_avg_90d', scale=4, type='decimal(9, 4)'
            ) }}
    end as balance_share,
    income.days_since_income,
    case
        when income.days_since_income >= {{ policy('early_warning.wages_stopped_yellow') }}
            then {{ add_days(
                'income.last_income_on', 'floor(' ~ policy('early_warning.wages_stopped_yellow') ~ ')'
            ) }}
    end as income_stopped_on,
    income.income_share,
    turnover.turnover_share,
    card.utilisation_rise,
    case
        when credit.card_limit > 0
            then {{ quotient(
                'least(credit.card_cash_advance_90d, credit.card_limit * 99999)', 'credit.card_limit', scale=4,
                type='decimal(9, 4)'
            ) }}
    end as cash_advance_share,
    {{ once_delivered('delivered.repayments', 'late.late_instalments') }} as late_instalments,
    late.first_late_on,
    credit.days_past_due,
    case
        when credit.days_past_due >= {{ policy('early_warning.early_arrears_yellow') }}
            then {{ add_days(
                'customers.business_date',
                'floor(' ~ policy('early_warning.early_arrears_yellow') ~ ') - credit.days_past_due'
            ) }}
    end as past_due_on,
    credit.applications_90d as applications,
    {{ once_delivered('delivered.loans', 'loan.new_loans') }} as new_loans,
    loan.first_new_loan_on,
    bureau.bureau_debt_growth,
    bureau.bureau_arrears_rise,
    bureau.bureau_inquiries,
    bureau.bureau_report_on,
    court.cases_filed,
    court.first_filed_on,
    court.enforcements_open,
    court.enforced_since,
    management.management_changes,
    management.management_changed_on
from customers
inner join delivered
    on customers.business_date = delivered.business_date
{% for name, model in rests_on.items() -%}
    left join {{ ref(model) }} as {{ name }}
        on customers.party_id = {{ name }}.party_id and customers.business_date = {{ name }}.business_date
{% endfor %}
