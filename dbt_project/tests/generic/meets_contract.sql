{#-
  Rows that break their contract, each with every rule it breaks, in one pass over the table. `checks` are derived from
  the contract; `violated` is true where a row is bad. A source is looked at on the dates of the run; a mart whole.
-#}
{% test meets_contract(model, key, checks) %}
{%- set keys = key | join(', ') %}
{%- set is_source = model.external is defined and model.external %}
{%- set grain = keys ~ ', source, business_date' if is_source else keys %}
with inspected as (
    select *
    from {{ model }}
    {%- if is_source %}
    where business_date between {{ run_from() }} and {{ run_to() }} and _change = 'upsert'
    {%- endif %}
),

broken as (
    select
        {{ keys }},
        concat_ws(
            '; '
            {%- for check in checks %},
            case when {{ check.violated }} then '{{ check.rule }}' end
            {%- endfor %}
        ) as rules
    from inspected
)

select {{ keys }}, rules
from broken
where rules <> ''
union all
select {{ keys }}, 'duplicate key' as rules
from inspected
group by {{ grain }}
having count(*) > 1
{% endtest %}
