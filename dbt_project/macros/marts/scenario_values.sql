{#- A row with the value of a feature for every party that it speaks of. -#}
{% macro feature_rows(feature) -%}
    select
        customer.party_id,
        customer.business_date,
        '{{ feature.feature }}' as feature,
        '{{ feature.scenario }}' as scenario,
        {{ scenario_value(feature) }} as value
    from {{ ref('customer_360') }} as customer
    {% if feature.model -%}
        left join {{ ref(feature.model) }} as {{ feature.model }}
            on
                customer.party_id = {{ feature.model }}.party_id
                and customer.business_date = {{ feature.model }}.business_date
    {% endif -%}
    where {{ feature.speaks_of }}
{%- endmacro %}

{#-
  The value of a feature, over the columns of customer_360 as `customer` and of the models that features name. What does
  not fit into the column is cut there: so far beyond any limit the difference says nothing.
-#}
{% macro scenario_value(feature) -%}
    {%- set most = "cast(99999.9999 as decimal(9, 4))" -%}
    {%- set plain = (feature.model or 'customer') ~ '.' ~ feature.part -%}
    {%- set value = 'coalesce(' ~ plain ~ ', ' ~ feature.without_row ~ ')' if feature.without_row else plain -%}
    {%- if feature.form == 'share' -%}
        {%- if feature.whole | int -%}
            {{ quotient(value, feature.whole, scale=4, type='decimal(9, 4)') }}
        {%- else -%}
            {{ capped_quotient(value, 'customer.' ~ feature.whole) }}
        {%- endif -%}
    {%- elif feature.form == 'holds' -%}
        cast(case when {{ value }} then 1 when not {{ value }} then 0 end as decimal(9, 4))
    {%- else -%}
        {#- least and greatest pass over what is null -#}
        case when {{ value }} is not null then cast(least(greatest({{ value }}, -{{ most }}), {{ most }}) as decimal(9, 4)) end
    {%- endif -%}
{%- endmacro %}
