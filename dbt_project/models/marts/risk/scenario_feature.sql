-- depends_on: {{ ref('customer_360') }}
{% for feature in feature_definitions() -%}
    {{ feature_rows(feature) }}
    {{ 'union all' if not loop.last }}
{% endfor %}
