{#-
  A table holds what its contract says: the key identifies a row, and no row violates a check. One test per table, since
  starting a test takes longer than running it. Returns the rules that are broken and how often, never a row.

  `checks` has a line for each rule: its name, a colon, and what is true of a row that breaks it.

  Of a contract in the lake, the rows that landed on the dates of the run are held against it; tombstones have no values,
  and a key may come again on another date.
-#}
{% test meets_contract(model, key, checks='') %}
    {%- set landed = tests_landed_rows() -%}
    {%- set key = (['source', 'business_date'] if landed else []) + key -%}
    {%- set rules = (checks or '').splitlines() %}
    with rows_to_test as (
        select *
        from {{ model }}
        {%- if landed %}
        where _change = 'upsert' and business_date between {{ run_from() }} and {{ run_to() }}
        {%- endif %}
    ),

    doubled as (
        select count(*) as broken
        from (select 1 as one from rows_to_test group by {{ key | join(', ') }} having count(*) > 1) as keys
    ),

    counted as (
        select
            {%- for rule in rules %}
            count(*) filter (where {{ rule.partition(': ')[2] }}) as check_{{ loop.index }},
            {%- endfor %}
            count(*) as row_count
        from rows_to_test
    ),

    results as (
        select 'key {{ key | join(', ') }} is unique' as rule, broken from doubled
        {%- for rule in rules %}
        union all
        select '{{ rule.partition(': ')[0] }}', check_{{ loop.index }} from counted
        {%- endfor %}
    )

    select rule, broken
    from results
    where broken > 0
{% endtest %}
