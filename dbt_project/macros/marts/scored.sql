{#-
  What a scorecard says of the rows of its mart that `rows` picks: common table expressions, of which `scored` has party_id,
  business_date, scorecard, score, the codes of the three characteristics that cost the most points against their best
  bin, the probability of default within the card's days and within 365, and why there is no score, where there is none.
-#}
{% macro scored(card, rows) -%}
with allowed as (
    select count(*) as banks
    from {{ source('control', 'bank') }}
    where bank in ('{{ card.banks | join("', '") }}')
),

points as (
    select
        party_id,
        business_date,
        coalesce({{ card.population }}, false) as is_spoken_of,
        {{ card.requires }} as is_known,
        {% for one in card.characteristics -%}
            cast({{ one.points }} as decimal(9, 2)) as points_{{ one.column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('customer_360') }}
    where {{ rows }}
),

judged as (
    select
        points.*,
        cast(
            {{ card.base_points }}
            {% for one in card.characteristics -%} + points_{{ one.column }} {% endfor -%} as decimal(9, 2)
        ) as points,
        case
            when allowed.banks = 0 then 'no_scorecard'
            when not points.is_spoken_of then 'not_in_population'
            when not points.is_known then 'not_known_enough'
        end as not_evaluable
    from points
    cross join allowed
),

losses as (
    {% for one in card.characteristics -%}
        select
            party_id,
            business_date,
            {{ loop.index }} as place,
            '{{ one.code }}' as code,
            {{ one.most }} - points_{{ one.column }} as lost
        from judged
        where not_evaluable is null and points_{{ one.column }} < {{ one.most }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

ordered as (
    select
        party_id,
        business_date,
        row_number() over (
            partition by party_id, business_date order by lost desc nulls last, place asc nulls last
        ) as cost_no,
        code as reason_1,
        lead(code) over (
            partition by party_id, business_date order by lost desc nulls last, place asc nulls last
        ) as reason_2,
        lead(code, 2) over (
            partition by party_id, business_date order by lost desc nulls last, place asc nulls last
        ) as reason_3
    from losses
),

reasons as (
    select *
    from ordered
    where cost_no = 1
),

odds as (
    select
        party_id,
        business_date,
        not_evaluable,
        case when not_evaluable is null then points end as score,
        case when not_evaluable is null then
            1e0 / (1e0 + exp(
                {{ card.intercept }} + {{ card.slope }}
                * (cast(points as double) - {{ card.offset }}e0) / {{ card.factor }}e0
            ))
        end as pd_window
    from judged
),

scored as (
    select
        odds.party_id,
        odds.business_date,
        case when odds.not_evaluable is null then '{{ card.card }}' end as scorecard,
        odds.score,
        odds.pd_window,
        -- The same hazard on every day of the year as within the days for which the card was made.
        case when odds.pd_window is not null then
            greatest(
                1e0 - power(1e0 - odds.pd_window, 365e0 / {{ card.performance_days }}e0),
                cast({{ card.pd_floor }} as double)
            )
        end as pd_year,
        reasons.reason_1,
        reasons.reason_2,
        reasons.reason_3,
        odds.not_evaluable
    from odds
    left join reasons
        on odds.party_id = reasons.party_id and odds.business_date = reasons.business_date
)
{%- endmacro %}
