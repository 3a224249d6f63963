{#-
  What the tags that serve a purpose say of each party: the common table expressions on which `tag_intervals` builds.

  customer_360 is read once: every tag is a column of one row per party, and these columns are then put below each other.
-#}
{% macro tag_evaluation(tags, before) -%}
with thresholds as (
    {{ tag_thresholds(tags) }}
),

earlier as (
    select
        party_id,
        tag,
        value,
        valid_from
    from {{ before }}
),

calendar as (
    select
        business_date,
        refresh,
        valid_from = business_date as is_due
    from {{ ref('tag_refresh') }}
),

parties as (
    select
        party_id,
        business_date
    from {{ ref('customer_360') }}
),

evaluated as (
    select
        customer.party_id,
        customer.business_date,
        {% for tag in tags -%}
            cast({{ tag.expression }} as string) as {{ tag.tag }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('customer_360') }} as customer
    cross join thresholds
),

verdicts as (
    {% for tag in tags -%}
        select
            evaluated.party_id,
            evaluated.business_date,
            '{{ tag.tag }}' as tag,
            evaluated.{{ tag.tag }} as value
        from evaluated
        inner join calendar
            on evaluated.business_date = calendar.business_date
        where calendar.refresh = '{{ tag.refresh }}' and calendar.is_due and evaluated.{{ tag.tag }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

refreshes as (
    {% for tag in tags -%}
        select
            '{{ tag.tag }}' as tag,
            '{{ tag.refresh }}' as refresh
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

carried as (
    select
        party_id,
        tag
    from verdicts
    union distinct
    select
        party_id,
        tag
    from earlier
),
{%- endmacro %}

{#- The thresholds that the tags name, each a column of one row. -#}
{% macro tag_thresholds(tags) -%}
    {%- set names = tags | map(attribute='thresholds') | sum(start=[]) | unique | list -%}
    select
    {% for name in names -%}
        {{ policy(name) }} as policy_{{ name | replace('.', '__') }}{{ ',' if not loop.last }}
    {% else -%}
        0 as policy_none
    {% endfor -%}
{%- endmacro %}
