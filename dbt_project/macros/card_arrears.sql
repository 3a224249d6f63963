{#- What is owed on the credit cards on record on each date of `as_of`. int_card_arrears says what the columns mean. -#}
{% macro card_arrears(as_of) -%}
with statements as (
    select
        as_of.business_date,
        card.card_key,
        card.holding_key,
        card.credit_limit,
        bill.statement_date,
        bill.due_date,
        bill.statement_balance,
        bill.minimum_due,
        bill.cash_advance_amount,
        {{ days_between('bill.statement_date', 'as_of.business_date') }} as days_ago,
        lead(bill.paid_amount) over (
            partition by as_of.business_date, card.card_key
            order by bill.statement_date nulls last, bill.statement_key nulls last
        ) as paid_next,
        row_number() over (
            partition by as_of.business_date, card.card_key
            order by bill.statement_date nulls last, bill.statement_key nulls last
        ) as statement_no
    from {{ as_of }} as as_of
    inner join {{ ref('stg_card__account') }} as card
        on
            as_of.business_date >= card.valid_from
            and as_of.business_date < card.valid_to
    left join {{ ref('stg_card__statement') }} as bill
        on
            card.card_key = bill.card_key
            and as_of.business_date >= bill.business_date
    where card.card_kind = 'credit'
),

-- What was paid for a statement, the next one says; of the latest nothing is known yet.
last_statements as (
    select
        business_date,
        card_key,
        max(statement_no) as last_no,
        coalesce(max(case when paid_next >= minimum_due then statement_no end), 0) as last_paid_no
    from statements
    group by business_date, card_key
)

select
    statements.business_date,
    statements.card_key,
    statements.holding_key,
    statements.credit_limit,
    cast(coalesce(sum(
        case when statements.statement_no = last_statements.last_no then statements.statement_balance end
    ), 0) as decimal(18, 2)) as statement_balance,
    cast(coalesce(sum(
        case when statements.days_ago < 90 then statements.cash_advance_amount end
    ), 0) as decimal(18, 2)) as cash_advance_amount_90d,
    coalesce(greatest({{ days_between(
        'min(case when statements.statement_no > last_statements.last_paid_no '
        ~ 'and statements.paid_next < statements.minimum_due then statements.due_date end)',
        'statements.business_date'
    ) }}, 0), 0) as days_past_due
from statements
inner join last_statements
    on
        statements.business_date = last_statements.business_date
        and statements.card_key = last_statements.card_key
group by statements.business_date, statements.card_key, statements.holding_key, statements.credit_limit
{%- endmacro %}
