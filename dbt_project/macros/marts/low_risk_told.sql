{#-
  What a low-risk list says of each party: common table expressions after `preceded` (low_risk_decisions), and the rows
  of the mart.
-#}
{% macro low_risk_told(variant, rules) -%}
    {%- set per_party = 'partition by party_id order by business_date asc nulls last' -%}
    {%- set so_far = per_party ~ ' rows between unbounded preceding and current row' -%}
    {%- set bands = [
        ('A', policy('low_risk.band_a_max_income_variation'), policy('low_risk.band_a_max_debt_service_ratio')),
        ('B', policy('low_risk.band_b_max_income_variation'), policy('low_risk.band_b_max_debt_service_ratio')),
    ] -%}
explained as (
    select
        *,
        {% for rule in rules -%}
            case when was_included then stays_{{ rule }} else enters_{{ rule }} end as rule_{{ rule }},
        {% endfor -%}
        case when must_wait and not was_included then 'fail' else 'pass' end as rule_reentry,
        coalesce(
            max(case when included and not was_included then business_date end) over ({{ so_far }}), in_since_before
        ) as last_in_on
    from preceded
),

told as (
    select
        *,
        nullif(concat_ws(
            ';',
            {% for rule in rules -%}
                case
                    when rule_{{ rule }} = 'fail' then '{{ rule }}'
                    when rule_{{ rule }} = 'not_evaluable' and unknown_{{ rule }}_excludes
                        then '{{ rule }}:not_evaluable'
                end,
            {% endfor -%}
            case when rule_reentry = 'fail' then 'reentry' end
        ), '') as exclusion_reasons,
        case
            when not included then null
            {% for band, variation, service in bands -%}
                when
                    income_variation <= {{ variation }}
                    and debt_service_ratio <= {{ service }}
                    then '{{ band }}'
            {% endfor -%}
            else 'C'
        end as band
    from explained
)

select
    party_id,
    business_date,
    '{{ variant }}' as variant,
    {% for rule in rules -%}
        rule_{{ rule }},
    {% endfor -%}
    rule_reentry,
    income_periods,
    income_variation,
    debt_service_ratio,
    pd,
    worst_class,
    warning_severity,
    was_included,
    included,
    case when included then last_in_on end as in_since,
    last_out_on,
    case
        when included and accounts_owned > 1 then 'several_accounts'
        when included then 'single_account'
    end as segment,
    band,
    {{ by_band(low_risk_families(), 'band') }} as product_families,
    {{ by_band(low_risk_reason_codes(), 'band') }} as inclusion_reasons,
    exclusion_reasons,
    business_date as valid_from,
    {{ add_days('business_date', 'floor(' ~ policy('low_risk.validity_days') ~ ')') }} as valid_to
from told
{%- endmacro %}
