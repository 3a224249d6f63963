{% set card = propensity_cards()['offer'] %}

with points as (
    select
        party_id,
        business_date,
        {% for one in card.characteristics -%}
            cast({{ one.points }} as decimal(9, 2)) as points_{{ one.column }},
        {% endfor -%}
        {{ count_known(card.characteristics | map(attribute='column') | list) }} as known
    from {{ ref('customer_360') }}
    where party_kind = 'person'
),

scores as (
    select
        party_id,
        business_date,
        known,
        cast(
            {{ card.base_points }}
            {% for one in card.characteristics -%}
                + points_{{ one.column }}
            {% endfor -%}
            as decimal(9, 2)
        ) as score
    from points
),

-- Whoever has the same score is in the same decile.
ranked as (
    select
        *,
        rank() over (partition by business_date order by score nulls first) - 1 as people_below,
        count(*) over (partition by business_date) as people
    from scores
    where known > 0
)

select
    party_id,
    business_date,
    '{{ card.card }}' as scorecard,
    score,
    cast(
        round(1e0 / (1e0 + exp(-(cast(score as double) - {{ card.offset }}e0) / {{ card.factor }}e0)), 6)
        as decimal(9, 6)
    ) as propensity,
    cast(1 + {{ integer_divide('10 * people_below', 'people') }} as bigint) as decile,
    {{ quotient('known', card.characteristics | length, scale=4, type='decimal(9, 4)') }} as propensity_completeness
from ranked
