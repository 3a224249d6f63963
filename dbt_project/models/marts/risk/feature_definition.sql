{% set said = ['feature', 'scenario', 'description', 'unit', 'direction', 'owner'] %}

with features as (
    {% for feature in feature_definitions() -%}
        select
            {% for field in said -%}
                '{{ feature[field] | replace("'", "''") }}' as {{ field }},
            {% endfor -%}
            '{{ feature.speaks_of | replace("'", "''") }}' as speaks_of
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    dates.business_date,
    features.feature,
    features.scenario,
    features.description,
    features.unit,
    features.direction,
    features.speaks_of,
    features.owner
from {{ ref('int_as_of_date') }} as dates
cross join features
