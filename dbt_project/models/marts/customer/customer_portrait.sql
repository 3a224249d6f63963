{% set axes = portrait_axes() %}
{% set risk_columns = ['investor_risk_level', 'wealth_market_value', 'aum'] %}

with persons as (
    select *
    from {{ ref('customer_360') }}
    where party_kind = 'person'
),

signals as (
    select
        party_id,
        business_date,
        {% for axis, parts in axes.items() -%}
            {% for category, predicates in parts.categories.items() -%}
                {{ count_holding(predicates) }} as {{ axis }}_{{ category }}_holding,
                {{ count_known(bracketed(predicates)) }} as {{ axis }}_{{ category }}_known,
            {% endfor -%}
            {{ count_known(parts.columns) }} as {{ axis }}_known,
        {% endfor -%}
        {{ count_known(risk_columns) }} as risk_known,
        {{ quotient('(investor_risk_level - 1)', 4, scale=4, type='decimal(9, 4)') }} as risk_assessed,
        case
            when aum > 0 then least({{ quotient('wealth_market_value', 'aum', scale=4, type='decimal(9, 4)') }}, 1)
        end as risk_held,
        {{ policy('portrait.assessment_weight') }} as assessment_weight
    from persons
),

shares as (
    select
        party_id,
        business_date,
        {% for axis, parts in axes.items() -%}
            {% for category in parts.categories -%}
                {% set counted = axis ~ '_' ~ category -%}
                {{ quotient(counted ~ '_holding', counted ~ '_known', scale=4, type='decimal(9, 4)') }}
                    as {{ counted }},
            {% endfor -%}
            {{ quotient(axis ~ '_known', parts.columns | length, scale=4, type='decimal(9, 4)') }}
                as {{ axis }}_completeness,
        {% endfor -%}
        {{ quotient('risk_known', risk_columns | length, scale=4, type='decimal(9, 4)') }} as risk_completeness,
        cast(
            case
                when risk_held is null then risk_assessed
                when risk_assessed is null then risk_held
                else assessment_weight * risk_assessed + (1 - assessment_weight) * risk_held
            end as decimal(9, 4)
        ) as risk_score
    from signals
),

scores as (
    select
        {% for axis, parts in axes.items() -%}
            {{ strongest_share(axis, parts.categories) }} as {{ axis }}_score,
        {% endfor -%}
        *
    from shares
)

select
    party_id,
    business_date,
    {% for axis, parts in axes.items() -%}
        case
            when coalesce({{ axis }}_score, 0) = 0 then 'unknown'
            {% for category in parts.categories -%}
                when {{ axis }}_{{ category }} = {{ axis }}_score then '{{ category }}'
            {% endfor %}
        end as {{ axis }}_category,
        {{ axis }}_score,
        {{ axis }}_completeness,
    {% endfor -%}
    case
        when risk_score is null then 'unknown'
        when risk_score < {{ policy('portrait.cautious_score') }} then 'cautious'
        when risk_score < {{ policy('portrait.balanced_score') }} then 'balanced'
        else 'growth'
    end as risk_category,
    risk_score,
    risk_completeness
from scores
