{#-
  What DuckDB and Spark spell differently. The rest of the project is the SQL that both run unchanged.
-#}

{#- Whole days from one date to a later one. -#}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between')(earlier, later) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro %}

{#- The date so many days later, or earlier for a negative number. -#}
{% macro add_days(day, days) -%}
    {{ adapter.dispatch('add_days')(day, days) }}
{%- endmacro %}

{% macro default__add_days(day, days) -%}
    cast({{ day }} + cast({{ days }} as integer) as date)
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add({{ day }}, cast({{ days }} as int))
{%- endmacro %}

{#- The same day so many months later, or the last day of that month where it is shorter. -#}
{% macro add_months(day, months) -%}
    {{ adapter.dispatch('add_months')(day, months) }}
{%- endmacro %}

{% macro default__add_months(day, months) -%}
    cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(day, months) -%}
    add_months({{ day }}, cast({{ months }} as int))
{%- endmacro %}

{#- Quotient of two integers that are not negative, without its fraction. -#}
{% macro integer_divide(dividend, divisor) -%}
    {{ adapter.dispatch('integer_divide')(dividend, divisor) }}
{%- endmacro %}

{% macro default__integer_divide(dividend, divisor) -%}
    ({{ dividend }}) // ({{ divisor }})
{%- endmacro %}

{% macro spark__integer_divide(dividend, divisor) -%}
    ({{ dividend }}) div ({{ divisor }})
{%- endmacro %}

{#- An expression that stops the query with this message when it is evaluated. -#}
{% macro raise_error(message) -%}
    {{ adapter.dispatch('raise_error')(message) }}
{%- endmacro %}

{% macro default__raise_error(message) -%}
    error('{{ message }}')
{%- endmacro %}

{% macro spark__raise_error(message) -%}
    raise_error('{{ message }}')
{%- endmacro %}
