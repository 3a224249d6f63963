{#- How something stands on a clock: what it has used of what is allowed, and whether it is done. -#}
{% macro clock_state(is_done, used, allowed) -%}
    case
        when {{ is_done }} and {{ used }} <= {{ allowed }} then 'in_time'
        when {{ is_done }} then 'breached'
        when {{ used }} <= {{ allowed }} then 'open'
        else 'breached_open'
    end
{%- endmacro %}

{#- What is left on it; empty once it is done. -#}
{% macro clock_left(is_done, used, allowed) -%}
    case when not {{ is_done }} then greatest({{ allowed }} - {{ used }}, 0) end
{%- endmacro %}
