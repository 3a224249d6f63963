{#- What a rule says: pass, fail, or not_evaluable where what it looks at is not known. `evaluable` is never null. -#}
{% macro verdict(passes, evaluable) -%}
    case
        when not ({{ evaluable }}) then 'not_evaluable'
        when {{ passes }} then 'pass'
        else 'fail'
    end
{%- endmacro %}

{#- How many of the rules say so; where `weights` is given, the sum of the thresholds <weights><rule>_rejects of these. -#}
{% macro count_verdicts(rules, said, weights=none) -%}
    {%- for rule in rules -%}
        case when rule_{{ rule }} = '{{ said }}' then {{ policy(weights ~ rule ~ '_rejects') if weights else 1 }} else 0 end
        {{- ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
