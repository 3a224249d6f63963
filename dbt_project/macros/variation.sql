{#-
  Standard deviation over mean of `periods` amounts, of which some may be zero, from their sum and the sum of their squares:
  sqrt(n * squares - square of sum) over sum. What stands under the root is exact, so the order in which rows are added
  cannot show. Null where the sum is zero.
-#}
{% macro variation(total, squares, periods) -%}
    cast(
        round(
            sqrt(cast(
                {{ periods }} * {{ squares }} - cast({{ total }} as decimal(19, 2)) * cast({{ total }} as decimal(19, 2))
                as double
            ))
            / nullif(cast({{ total }} as double), 0), 4
        ) as decimal(9, 4)
    )
{%- endmacro %}
