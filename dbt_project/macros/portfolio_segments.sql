{#- The segments that figures of the portfolio are shown by, each with the segment of the facilities it counts. -#}
{% macro portfolio_segments() -%}
    {% for name in ['retail', 'non_retail', 'card'] -%}
        select
            '{{ name }}' as segment,
            '{{ name }}' as counted
        union all
        select
            'all' as segment,
            '{{ name }}' as counted
        {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}
