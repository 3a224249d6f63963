{#- What a rule says: pass, fail, or not_evaluable where what it looks at is not known. `evaluable` is never null. -#}
{% macro verdict(passes, evaluable) -%}
    case
        when not ({{ evaluable }}) then 'not_evaluable'
        when {{ passes }} then 'pass'
        else 'fail'
    end
{%- endmacro %}
