{#-
  A threshold of policy.yaml by its dotted name, as an exact number; wide, so that an amount times it does not overflow.
  Policy is a relation, so that changing it leaves the parsed project valid. A name that policy.yaml does not have stops the model.
-#}
{% macro policy(name) -%}
    (
        select
            case
                when count(*) = 1 then cast(max(policy.value) as decimal(20, 6))
                else {{ raise_error('policy.yaml has no single value for ' ~ name) }}
            end
        from {{ source('control', 'policy') }} as policy
        where policy.name = '{{ name }}'
    )
{%- endmacro %}
