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

{#-
  Of how many sources of a contract a party is known, and on how many of the last `days` these delivered, together: a query
  with party_id, business_date, sources, days_delivered, and sources_in_all, of those that know the party or not. `known`
  is a relation with party_id, business_date and source.
-#}
{% macro sources_delivered(known, contract, days) -%}
    select
        knowing.party_id,
        knowing.business_date,
        count(*) as sources,
        cast(coalesce(sum(delivery.days_delivered_{{ days }}d), 0) as bigint) as days_delivered,
        max(delivery.sources) as sources_in_all
    from (select distinct party_id, business_date, source from {{ known }}) as knowing
    left join {{ ref('int_source_delivery') }} as delivery
        on
            knowing.business_date = delivery.business_date
            and knowing.source = delivery.source
            and delivery.contract = '{{ contract }}'
    group by knowing.party_id, knowing.business_date
{%- endmacro %}

{#- The same of all sources of a contract, for what is known of everybody once it is delivered. -#}
{% macro all_sources_delivered(contract, days) -%}
    select
        business_date,
        count(*) as sources,
        cast(sum(days_delivered_{{ days }}d) as bigint) as days_delivered
    from {{ ref('int_source_delivery') }}
    where contract = '{{ contract }}'
    group by business_date
{%- endmacro %}
