{% for feature in feature_definitions() -%}
    select
        customer.party_id,
        customer.business_date,
        '{{ feature.feature }}' as feature,
        '{{ feature.scenario }}' as scenario,
        {{ scenario_value(feature) }} as value
    from {{ ref('customer_360') }} as customer
    {%- if feature.model %}
    left join {{ ref(feature.model) }} as {{ feature.model }}
        on
            customer.party_id = {{ feature.model }}.party_id
            and customer.business_date = {{ feature.model }}.business_date
    {%- endif %}
    where {{ feature.speaks_of }}
    {{ 'union all' if not loop.last }}
{% endfor %}
