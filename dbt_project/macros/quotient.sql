{#-
  numerator / denominator rounded to `scale` digits, half away from zero, as a decimal. Both sides are integers or amounts
  with two decimals, and the denominator is not negative; zero gives null.

  Computed in integers: a quotient of doubles rounds ties such as 0.125 or 123.455 one way or the other, and an average of
  90 amounts has a tie once in 90.
-#}
{% macro quotient(numerator, denominator, scale, type) -%}
    {%- set n = 'cast(floor(cast(' ~ numerator ~ ' as decimal(34, 2)) * 100) as bigint)' -%}
    {%- set d = 'nullif(cast(floor(cast(' ~ denominator ~ ' as decimal(34, 2)) * 100) as bigint), 0)' -%}
    {%- set twice = 2 * 10 ** scale -%}
    cast(
        cast(
            case when {{ numerator }} < 0 then -1 else 1 end
            * ({{ integer_divide(twice ~ ' * abs(' ~ n ~ ') + ' ~ d, '2 * ' ~ d) }})
            as decimal(18, 0)
        ) * cast({{ '%.*f' % (scale, 10 ** -scale) }} as decimal({{ scale + 1 }}, {{ scale }}))
        as {{ type }}
    )
{%- endmacro %}

{#- The same as a ratio of four digits, cut at what the column holds; so far beyond any limit the difference says nothing. -#}
{% macro capped_quotient(numerator, denominator) -%}
    case
        when
            {{ denominator }} > 0
            and abs({{ numerator }}) >= cast({{ denominator }} as decimal(20, 2)) * 99999
            then cast(case when {{ numerator }} < 0 then -99999.9999 else 99999.9999 end as decimal(9, 4))
        else {{ quotient(numerator, denominator, scale=4, type='decimal(9, 4)') }}
    end
{%- endmacro %}
