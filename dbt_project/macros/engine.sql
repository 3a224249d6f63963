{#-
  What DuckDB and Spark spell differently. The rest of the project is SQL that both run unchanged.
-#}

{#- Whole days from one date to a later one. -#}
{% macro days_between(earlier, later) -%}
    {%- if target.type == 'spark' -%}
        cast(datediff({{ later }}, {{ earlier }}) as bigint)
    {%- else -%}
        date_diff('day', {{ earlier }}, {{ later }})
    {%- endif -%}
{%- endmacro %}

{#- The date so many days later, or earlier for a negative number. -#}
{% macro add_days(day, days) -%}
    {%- if target.type == 'spark' -%}
        date_add({{ day }}, cast({{ days }} as int))
    {%- else -%}
        cast({{ day }} + cast({{ days }} as integer) as date)
    {%- endif -%}
{%- endmacro %}

{#- The same day so many months later, or the last day of that month where it is shorter. -#}
{% macro add_months(day, months) -%}
    {%- if target.type == 'spark' -%}
        add_months({{ day }}, cast({{ months }} as int))
    {%- else -%}
        cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
    {%- endif -%}
{%- endmacro %}

{#- Whole seconds from one moment to a later one. -#}
{% macro seconds_between(earlier, later) -%}
    {%- if target.type == 'spark' -%}
        cast(unix_timestamp({{ later }}) - unix_timestamp({{ earlier }}) as bigint)
    {%- else -%}
        date_diff('second', {{ earlier }}, {{ later }})
    {%- endif -%}
{%- endmacro %}

{#- Quotient of two integers that are not negative, without its fraction. -#}
{% macro integer_divide(dividend, divisor) -%}
    ({{ dividend }}) {{ 'div' if target.type == 'spark' else '//' }} ({{ divisor }})
{%- endmacro %}

{#- An expression that stops the query with this message once it is evaluated. -#}
{% macro raise_error(message) -%}
    {{ 'raise_error' if target.type == 'spark' else 'error' }}('{{ message }}')
{%- endmacro %}
