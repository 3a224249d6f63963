{#-
  The rules of the low-risk lists in their order. Each has what passes, and what must hold for a verdict at all (never
  null), both predicates over the columns of `facts`; where a limit is wider for whoever is on the list, `stay` is what
  passes then; `unknown` says whether no verdict excludes. Rules without `stay` are hard: nobody stays against them.

  `variant` is `internal`, by the bank's own data alone, or `with_bureau`.
-#}
{% macro low_risk_rules(variant) -%}
    {%- set owns_account, has_history = 'accounts_owned > 0', 'has_history' -%}
    {%- set rules = {
        'person_of_age': {
            'passes': "party_kind = 'person' and age_years >= " ~ policy('low_risk.min_age_years'),
            'evaluable': "party_kind <> 'person' or age_years is not null",
            'unknown': policy('low_risk.person_of_age_not_evaluable_excludes'),
        },
        'account_owner': {'passes': owns_account, 'evaluable': 'true', 'unknown': '1'},
        'history': {'passes': has_history, 'evaluable': 'true', 'unknown': '1'},
        'penalty_interest': {
            'passes': 'penalty_interest_count_365d <= ' ~ policy('low_risk.max_penalty_interest'),
            'evaluable': owns_account, 'unknown': policy('low_risk.penalty_interest_not_evaluable_excludes'),
        },
        'negative_balance': {
            'passes': 'balance_min_365d >= ' ~ policy('low_risk.min_balance'),
            'evaluable': owns_account, 'unknown': policy('low_risk.negative_balance_not_evaluable_excludes'),
        },
        'regular_inflow': {
            'passes': 'income_periods >= ' ~ policy('low_risk.min_income_periods'),
            'stay': 'income_periods >= ' ~ policy('low_risk.stay_min_income_periods'),
            'evaluable': has_history, 'unknown': policy('low_risk.regular_inflow_not_evaluable_excludes'),
        },
        'income_stability': {
            'passes': 'income_variation <= ' ~ policy('low_risk.max_income_variation'),
            'stay': 'income_variation <= ' ~ policy('low_risk.stay_max_income_variation'),
            'evaluable': 'has_history and income_variation is not null',
            'unknown': policy('low_risk.income_stability_not_evaluable_excludes'),
        },
        'debt_service': {
            'passes': 'debt_service_ratio <= ' ~ policy('low_risk.max_debt_service_ratio'),
            'stay': 'debt_service_ratio <= ' ~ policy('low_risk.stay_max_debt_service_ratio'),
            'evaluable': 'payments_180d is not null',
            'unknown': policy('low_risk.debt_service_not_evaluable_excludes'),
        },
        'grade': {
            'passes': 'pd <= ' ~ policy('low_risk.max_pd'), 'stay': 'pd <= ' ~ policy('low_risk.stay_max_pd'),
            'evaluable': 'pd is not null', 'unknown': policy('low_risk.grade_not_evaluable_excludes'),
        },
        'class': {
            'passes': 'class_level <= ' ~ policy('low_risk.max_class_level'),
            'evaluable': 'class_level is not null and (class_is_evaluable or class_level > '
            ~ policy('low_risk.max_class_level') ~ ')',
            'unknown': policy('low_risk.class_not_evaluable_excludes'),
        },
        'default': {
            'passes': 'days_past_due < ' ~ policy('grade.default_days'), 'evaluable': 'days_past_due is not null',
            'unknown': policy('low_risk.default_not_evaluable_excludes'),
        },
        'warning': {
            'passes': 'warning_level <= ' ~ policy('low_risk.max_warning_level'),
            'stay': 'warning_level <= ' ~ policy('low_risk.stay_max_warning_level'),
            'evaluable': 'warning_level is not null and days_past_due is not null',
            'unknown': policy('low_risk.warning_not_evaluable_excludes'),
        },
        'refusal': {
            'passes': 'applications_declined_365d <= ' ~ policy('low_risk.max_applications_declined'),
            'evaluable': 'applications_declined_365d is not null',
            'unknown': policy('low_risk.refusal_not_evaluable_excludes'),
        },
    } -%}
    {%- if variant == 'with_bureau' -%}
        {%- do rules.update({
            'admission': {
                'passes': "admission <> 'reject'", 'evaluable': 'admission is not null',
                'unknown': policy('low_risk.admission_not_evaluable_excludes'),
            },
            'bureau_arrears': {
                'passes': 'bureau_worst_days_past_due_24m <= ' ~ policy('low_risk.max_bureau_days_past_due'),
                'evaluable': 'bureau_worst_days_past_due_24m is not null',
                'unknown': policy('low_risk.bureau_arrears_not_evaluable_excludes'),
            },
            'bureau_inquiries': {
                'passes': 'bureau_inquiries_6m <= ' ~ policy('low_risk.max_bureau_inquiries'),
                'stay': 'bureau_inquiries_6m <= ' ~ policy('low_risk.stay_max_bureau_inquiries'),
                'evaluable': 'bureau_inquiries_6m is not null',
                'unknown': policy('low_risk.bureau_inquiries_not_evaluable_excludes'),
            },
        }) -%}
    {%- endif -%}
    {%- do rules.update({'lawful_use': {'passes': 'may_be_marketed', 'evaluable': 'true', 'unknown': '1'}}) -%}
    {{ return(rules) }}
{%- endmacro %}

{#- What may be offered to whom: families of reference.product by band and nothing else, so that they say no more. -#}
{% macro low_risk_families() -%}
    {{ return({'A': 'deposit;wealth;card;loan', 'B': 'deposit;wealth;card', 'C': 'deposit;wealth'}) }}
{%- endmacro %}

{#- Codes of marketing_reason_codes in policy.yaml, in their order; by band and nothing else, likewise. -#}
{% macro low_risk_reason_codes() -%}
    {{ return({
        'A': 'meets_requirements;stable_income;light_commitments', 'B': 'meets_requirements;stable_income',
        'C': 'meets_requirements',
    }) }}
{%- endmacro %}

{#- A value by the band of the list; empty where there is none. -#}
{% macro by_band(values, band) -%}
    case {{ band }}{% for name, value in values.items() %} when '{{ name }}' then '{{ value }}'{% endfor %} end
{%- endmacro %}
