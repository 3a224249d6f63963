{#-
  The signals that rest on the bank's own data alone: nothing that the bureau, a partner or a public register said.
  Whether it is so, a test of their lineage says.
-#}
{% macro own_warning_signals() -%}
    {{ return([
        'abnormal_flow', 'abnormal_outflow', 'deposit_drain', 'wages_stopped', 'income_drop', 'card_utilisation_jump',
        'card_cash_advance', 'late_instalments', 'early_arrears', 'applications', 'new_loans',
    ]) }}
{%- endmacro %}

{#- What the signals of the given names say of each customer, in one row. -#}
{% macro party_warning(names) -%}
    {%- set signals = warning_signals() -%}
with severities as (
    select
        party_id,
        business_date,
        {% for signal in names -%}
            {{ signal_severity(signal) }} as {{ signal }},
        {% endfor -%}
        case party_kind
            {% for kind in ['person', 'organisation'] -%}
                {% set columns = [] -%}
                {% for signal in signals_of(kind) if signal in names -%}
                    {% do columns.append(signals[signal][0]) -%}
                {% endfor -%}
                when '{{ kind }}' then {{ count_known(columns) }}
            {% endfor -%}
        end as signals_evaluable,
        case party_kind
            {% for kind in ['person', 'organisation'] -%}
                when '{{ kind }}' then {{ signals_of(kind) | select('in', names) | list | length }}
            {% endfor -%}
        end as signals_in_all
    from {{ ref('int_party_signal') }}
),

counted as (
    select
        party_id,
        business_date,
        signals_evaluable,
        signals_in_all,
        {{ count_signals(names, 'red') }} as red_signals,
        {{ count_signals(names, 'yellow') }} as yellow_signals,
        concat_ws(
            ';',
            {% for signal in names -%}
                case when {{ signal }} is not null then '{{ signal }}:' || {{ signal }} end{{ ',' if not loop.last }}
            {% endfor -%}
        ) as signals
    from severities
)

select
    party_id,
    business_date,
    case
        when signals_evaluable = 0 then 'not_evaluable'
        when red_signals > 0 or yellow_signals >= {{ policy('early_warning.yellows_of_red') }} then 'red'
        when yellow_signals > 0 then 'yellow'
        else 'none'
    end as severity,
    cast(red_signals as bigint) as red_signals,
    cast(yellow_signals as bigint) as yellow_signals,
    signals,
    cast(signals_evaluable as bigint) as signals_evaluable,
    cast(signals_in_all as bigint) as signals_in_all
from counted
{%- endmacro %}

{#- How many signals have a severity, from columns that are called like them. -#}
{% macro count_signals(names, severity) -%}
    {%- for signal in names -%}
        case when {{ signal }} = '{{ severity }}' then 1 else 0 end{{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
