{#- The Monday of the week of a date. -#}
{% macro monday_of(day) -%}
    {%- set first = "cast('1900-01-01' as date)" -%}
    {%- set weeks = integer_divide(days_between(first, day), 7) -%}
    {{ add_days(first, '7 * (' ~ weeks ~ ')') }}
{%- endmacro %}
