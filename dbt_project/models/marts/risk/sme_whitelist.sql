{% set rules = sme_whitelist_rules() %}

with organisations as (
    select
        party.party_id,
        party.business_date,
        party.is_customer,
        registry.company_status,
        registry.company_age_days,
        tax.tax_grade,
        tax.tax_late_filings_365d,
        tax.tax_revenue_365d,
        tax_paid.tax_unpaid_share,
        turnover.turnover_share,
        court.enforcements_open,
        judicial.judicial_open_cases,
        management.management_changes,
        environment.penalties_365d
    from {{ ref('int_party') }} as party
    {% for name, model in {
        'registry': 'int_party_registry', 'tax': 'int_party_tax', 'tax_paid': 'int_party_tax_paid',
        'turnover': 'int_party_turnover_change', 'court': 'int_party_litigation', 'judicial': 'int_party_judicial',
        'management': 'int_party_management_change', 'environment': 'int_party_environment',
    }.items() -%}
        left join {{ ref(model) }} as {{ name }}
            on party.party_id = {{ name }}.party_id and party.business_date = {{ name }}.business_date
    {% endfor -%}
    where party.party_kind = 'organisation'
),

verdicts as (
    select
        party_id,
        business_date,
        is_customer,
        {% for rule, (passes, evaluable) in rules.items() -%}
            {{ verdict(passes, evaluable) }} as rule_{{ rule }},
        {% endfor -%}
        {{ policy('sme_whitelist.not_evaluable_excludes') }} = 1 as not_evaluable_excludes
    from organisations
),

reasons as (
    select
        *,
        concat_ws(
            ';',
            {% for rule in rules -%}
                case
                    when rule_{{ rule }} = 'fail' then '{{ rule }}'
                    when rule_{{ rule }} = 'not_evaluable' and not_evaluable_excludes then '{{ rule }}:not_evaluable'
                end{{ ',' if not loop.last }}
            {% endfor -%}
        ) as failed
    from verdicts
)

select
    party_id,
    business_date,
    is_customer,
    {% for rule in rules -%}
        rule_{{ rule }},
    {% endfor -%}
    failed = '' as listed,
    nullif(failed, '') as failed_rules,
    business_date as valid_from,
    {{ add_days('business_date', 'floor(' ~ policy('sme_whitelist.validity_days') ~ ')') }} as valid_to
from reasons
