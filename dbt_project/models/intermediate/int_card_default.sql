-- What was paid for a statement, and when that is known, the next one says, as in int_card_arrears.
with statements as (
    select
        as_of.business_date,
        bill.card_key,
        bill.statement_date,
        bill.minimum_due,
        {{ add_days('bill.due_date', 90) }} as on_day,
        lead(bill.paid_amount) over (
            partition by as_of.business_date, bill.card_key
            order by bill.statement_date nulls last, bill.statement_key nulls last
        ) as paid_next,
        lead(bill.statement_date) over (
            partition by as_of.business_date, bill.card_key
            order by bill.statement_date nulls last, bill.statement_key nulls last
        ) as next_on
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_card__statement') }} as bill
        on as_of.business_date >= bill.business_date
),

settled as (
    select
        *,
        min(case when paid_next >= minimum_due then next_on end) over (
            partition by business_date, card_key
            order by statement_date nulls last
            range between current row and unbounded following
        ) as settled_on
    from statements
)

select distinct
    settled.business_date,
    card.holding_key,
    settled.on_day as defaulted_on
from settled
inner join {{ ref('int_card_arrears') }} as card
    on settled.business_date = card.business_date and settled.card_key = card.card_key
where
    settled.paid_next < settled.minimum_due
    and coalesce(settled.settled_on > settled.on_day, true)
    and settled.on_day <= settled.business_date
