{#- What a rule says: pass, fail, or not_evaluable where what it looks at is not known. `evaluable` is never null. -#}
{% macro verdict(passes, evaluable) -%}
    case
        when not ({{ evaluable }}) then 'not_evaluable'
        when {{ passes }} then 'pass'
        else 'fail'
    end
{%- endmacro %}

{#- How many of the rules say so; where `weighted`, the sum of the third members of these. -#}
{% macro count_verdicts(rules, said, weighted=false) -%}
    {%- for rule, parts in rules.items() -%}
        case when rule_{{ rule }} = '{{ said }}' then {{ parts[2] if weighted else 1 }} else 0 end
        {{- ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
