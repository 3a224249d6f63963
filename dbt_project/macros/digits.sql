{#- The ten digits as a query. -#}
{% macro digits() -%}
    {% for digit in range(10) -%}
        select {{ digit }} as digit
        {{- ' union all ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
