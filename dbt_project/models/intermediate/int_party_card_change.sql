-- What is owed on credit cards by their last statements, as a share of today's limits, now and 90 days ago.
{% set ends = {'now': 0, 'before': 90} %}

with cards as (
    select
        holding.party_id,
        as_of.business_date,
        card.card_key,
        card.credit_limit
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_card__account') }} as card
        on
            as_of.business_date >= card.valid_from
            and as_of.business_date < card.valid_to
    inner join {{ ref('int_holding') }} as holding
        on
            card.holding_key = holding.holding_key
            and as_of.business_date >= holding.valid_from
            and as_of.business_date < holding.valid_to
    where card.card_kind = 'credit' and card.credit_limit > 0
),

statements as (
    select
        cards.party_id,
        cards.business_date,
        cards.card_key,
        bill.statement_balance,
        {{ days_between('bill.statement_date', 'cards.business_date') }} as days_ago,
        bill.statement_date,
        bill.statement_key
    from cards
    inner join {{ ref('stg_card__statement') }} as bill
        on
            cards.card_key = bill.card_key
            and cards.business_date >= bill.business_date
),

{% for name, days in ends.items() -%}
    ranked_{{ name }} as (
        select
            party_id,
            business_date,
            card_key,
            statement_balance,
            row_number() over (
                partition by business_date, card_key
                order by statement_date desc nulls last, statement_key desc nulls last
            ) as recency
        from statements
        where days_ago >= {{ days }}
    ),

    owed_{{ name }} as (
        select
            party_id,
            business_date,
            cast(sum(statement_balance) as decimal(18, 2)) as owed
        from ranked_{{ name }}
        where recency = 1
        group by party_id, business_date
    ),

{% endfor -%}

limits as (
    select
        party_id,
        business_date,
        cast(sum(credit_limit) as decimal(18, 2)) as credit_limit
    from cards
    group by party_id, business_date
)

-- A rise of more than the limits twenty times over is no more than one of it.
select
    limits.party_id,
    limits.business_date,
    {{ quotient(
        'least(owed_now.owed - owed_before.owed, limits.credit_limit * 99999)', 'limits.credit_limit', scale=4,
        type='decimal(9, 4)'
    ) }} as utilisation_rise
from limits
inner join owed_now
    on limits.party_id = owed_now.party_id and limits.business_date = owed_now.business_date
inner join owed_before
    on limits.party_id = owed_before.party_id and limits.business_date = owed_before.business_date
