{#-
  How much of a window a contract was delivered for: the days from the first landed row to the latest landing, as far as
  they lie in the `days` that end on the business date, over `days`. Zero where no row ever came. `delivered` is a relation
  with first_row_on and delivered_through, as int_delivery_as_of has them.
-#}
{% macro delivered_share(delivered, business_date, days) -%}
    {%- set known = days_between(delivered ~ '.first_row_on', business_date) ~ ' + 1' -%}
    {%- set missing = days_between(delivered ~ '.delivered_through', business_date) -%}
    {%- set within = 'greatest(least(' ~ known ~ ', ' ~ days ~ ') - ' ~ missing ~ ', 0)' -%}
    case
        when {{ delivered }}.first_row_on is null then cast(0 as decimal(9, 4))
        else {{ quotient(within, days, scale=4, type='decimal(9, 4)') }}
    end
{%- endmacro %}

{#- A figure once a row of the contract was delivered, zero where nothing is to be counted; empty until then. -#}
{% macro once_delivered(first_row_on, figure, otherwise='0', type='bigint') -%}
    case when {{ first_row_on }} is not null then cast(coalesce({{ figure }}, {{ otherwise }}) as {{ type }}) end
{%- endmacro %}

{#- How many of the expressions are known. -#}
{% macro count_known(expressions) -%}
    {% for expression in expressions -%}
        case when {{ expression }} is null then 0 else 1 end{{ ' + ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
