{#- What complaints are counted by, each with its code; a complaint without a code is in no cell of that kind. -#}
{% macro complaint_cells() -%}
    {{ return({
        'category': 'category',
        'channel': 'channel',
        'product': 'product_key',
        'district': 'district_key',
        'category_product': "category || '|' || product_key",
    }) }}
{%- endmacro %}

{#-
  One end of Wilson's interval of a share: -1 the lower, 1 the upper. Computed in doubles from a few exact numbers of one
  row, and rounded by who publishes it.
-#}
{% macro wilson_end(successes, trials, z, end) -%}
    (
        cast({{ successes }} as double) + {{ z }} * {{ z }} / 2
        {{ '-' if end < 0 else '+' }} {{ z }} * sqrt(
            cast({{ successes }} as double) * ({{ trials }} - {{ successes }}) / {{ trials }} + {{ z }} * {{ z }} / 4
        )
    ) / ({{ trials }} + {{ z }} * {{ z }})
{%- endmacro %}
