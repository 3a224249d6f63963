{#-
  Who is on a low-risk list, and why: common table expressions that follow one called `facts`, and the rows of the mart.
  `before` is what its last release of an earlier business date said, of the run's first date (history.low_risk_list).

  Who is not on the list enters by the limits for entry; who is on it stays by those for staying. Whoever was on it and
  broke these waits for low_risk.reentry_days. Both limits are judged on every date of the run; the last date that
  decides says who is in, and dates between the limits carry it on.
-#}
{% macro low_risk_decisions(variant, before) -%}
    {%- set rules = low_risk_rules(variant) -%}
    {%- set per_party = 'partition by party_id order by business_date asc nulls last' -%}
    {%- set so_far = per_party ~ ' rows between unbounded preceding and current row' -%}
    {%- set earlier = per_party ~ ' rows between unbounded preceding and 1 preceding' -%}
verdicts as (
    select
        *,
        {% for rule, of in rules.items() -%}
            {{ verdict(of.passes, of.evaluable) }} as enters_{{ rule }},
            {{ verdict(of.stay or of.passes, of.evaluable) }} as stays_{{ rule }},
            {{ of.unknown }} = 1 as unknown_{{ rule }}_excludes{{ ',' if not loop.last }}
        {% endfor %}
    from facts
),

fit as (
    select
        verdicts.*,
        {% for which in ['enters', 'stays'] -%}
            {% for rule in rules -%}
                {{ which }}_{{ rule }} <> 'fail'
                and not ({{ which }}_{{ rule }} = 'not_evaluable' and unknown_{{ rule }}_excludes)
                {{- ' and ' if not loop.last }}
            {% endfor -%}
            as is_fit_that_{{ which }},
        {% endfor -%}
        coalesce(before.included, false) as included_before,
        before.in_since as in_since_before,
        before.last_out_on as last_out_on_before
    from verdicts
    left join {{ before }} as before
        on verdicts.party_id = before.party_id
),

-- Whoever was on the list once, and is not fit to stay, is out.
known as (
    select
        *,
        included_before or last_out_on_before is not null
        or max(case when is_fit_that_enters then 1 else 0 end) over ({{ earlier }}) = 1 as was_ever_in
    from fit
),

outs as (
    select
        *,
        coalesce(
            max(case when was_ever_in and not is_fit_that_stays then business_date end) over ({{ so_far }}),
            last_out_on_before
        ) as last_out_on
    from known
),

decided as (
    select
        *,
        coalesce(business_date < {{ add_days(
            'last_out_on', 'floor(' ~ policy('low_risk.reentry_days') ~ ')'
        ) }}, false) as must_wait
    from outs
),

marked as (
    select
        *,
        max(case when not is_fit_that_stays or (is_fit_that_enters and not must_wait) then business_date end)
            over ({{ so_far }}) as decided_on
    from decided
),

carried as (
    select
        *,
        case
            when decided_on is null then included_before
            else max(case when business_date = decided_on and is_fit_that_stays then 1 else 0 end)
                over (partition by party_id, decided_on) = 1
        end as included
    from marked
),

preceded as (
    select
        *,
        coalesce(lag(included) over ({{ per_party }}), included_before) as was_included
    from carried
),

{{ low_risk_told(variant, rules) }}
{%- endmacro %}
