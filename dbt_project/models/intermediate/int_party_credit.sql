{% set contracts = {
    'loan_contracts': 'loan.contract', 'repayments': 'loan.repayment', 'applications': 'loan.application',
    'guarantees': 'loan.guarantee', 'collateral': 'loan.collateral', 'statements': 'card.statement',
} %}

with delivered as (
    select
        {% for name, contract in contracts.items() -%}
            min(first_row_on) filter (where contract = '{{ contract }}') as {{ name }},
        {% endfor -%}
        business_date
    from {{ ref('int_delivery_as_of') }}
    group by business_date
),

cards as (
    select
        holding.party_id,
        card.business_date,
        sum(card.statement_balance) as statement_balance,
        sum(card.credit_limit) as credit_limit,
        sum(card.cash_advance_amount_90d) as cash_advance_amount_90d,
        max(card.days_past_due) as days_past_due
    from {{ ref('int_card_arrears') }} as card
    inner join {{ ref('int_holding') }} as holding
        on
            card.holding_key = holding.holding_key
            and card.business_date >= holding.valid_from
            and card.business_date < holding.valid_to
    group by holding.party_id, card.business_date
),

applications as (
    select
        record.party_id,
        record.business_date,
        count(*) filter (
            where {{ days_between('application.business_date', 'record.business_date') }} < 90
        ) as applications_90d,
        count(*) filter (where application.decision = 'declined') as applications_declined_365d
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_loan__application') }} as application
        on
            record.party_key = application.party_key
            and record.business_date >= application.business_date
            and {{ add_days('record.business_date', -365) }} < application.business_date
    group by record.party_id, record.business_date
),

figures as (
    select
        party.party_id,
        party.business_date,
        {{ once_delivered('delivered.repayments', 'loan.arrears_amount', type='decimal(18, 2)') }}
            as loan_arrears_amount,
        {{ once_delivered('delivered.repayments', 'loan.days_past_due') }} as loan_days_past_due,
        case
            when loan.party_id is not null then loan.outstanding_principal
            else {{ once_delivered('delivered.repayments', '0', type='decimal(18, 2)') }}
        end as outstanding_principal,
        {{ once_delivered('delivered.statements', 'cards.days_past_due') }} as card_days_past_due,
        {{ once_delivered('delivered.statements', 'cards.statement_balance', type='decimal(18, 2)') }}
            as card_statement_balance,
        {{ once_delivered('delivered.statements', 'cards.credit_limit', type='decimal(18, 2)') }}
            as card_limit,
        {{ once_delivered('delivered.statements', 'cards.cash_advance_amount_90d', type='decimal(18, 2)') }}
            as card_cash_advance_90d,
        {{ once_delivered('delivered.applications', 'asked.applications_90d') }} as applications_90d,
        {{ once_delivered('delivered.applications', 'asked.applications_declined_365d') }}
            as applications_declined_365d,
        {{ once_delivered('delivered.guarantees', 'loan.guaranteed_amount', type='decimal(18, 2)') }}
            as guaranteed_by_others_amount,
        {{ once_delivered('delivered.collateral', 'loan.collateral_value', type='decimal(18, 2)') }}
            as collateral_value,
        {{ count_known(contracts) }} as contracts_delivered
    from {{ ref('int_party') }} as party
    inner join delivered
        on party.business_date = delivered.business_date
    left join {{ ref('int_party_loan') }} as loan
        on party.party_id = loan.party_id and party.business_date = loan.business_date
    left join cards
        on party.party_id = cards.party_id and party.business_date = cards.business_date
    left join applications as asked
        on party.party_id = asked.party_id and party.business_date = asked.business_date
)

select
    party_id,
    business_date,
    loan_arrears_amount,
    loan_days_past_due,
    case when loan_arrears_amount is not null then outstanding_principal end as loan_outstanding_principal,
    card_days_past_due,
    card_statement_balance,
    card_limit,
    case
        when card_limit = 0 then null
        -- The column holds no more.
        when card_statement_balance >= card_limit * 99999 then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('card_statement_balance', 'card_limit', scale=4, type='decimal(9, 4)') }}
    end as card_utilisation,
    card_cash_advance_90d,
    greatest(loan_days_past_due, card_days_past_due) as days_past_due,
    applications_90d,
    applications_declined_365d,
    guaranteed_by_others_amount,
    collateral_value,
    {{ quotient('contracts_delivered', contracts | length, scale=4, type='decimal(9, 4)') }} as credit_completeness
from figures
