{#-
  The rules of low_risk_list in their order. Each has what passes, and what must hold for a verdict at all; both are
  predicates over the columns of the model, and the second is never null.
-#}
{% macro low_risk_rules() -%}
    {%- set owns_account, has_history = 'accounts_owned > 0', 'has_history' -%}
    {{ return({
        'person_of_age': (
            "party_kind = 'person' and age_years >= " ~ policy('low_risk.min_age_years'),
            "party_kind <> 'person' or age_years is not null",
        ),
        'account_owner': (owns_account, 'true'),
        'history': (has_history, 'true'),
        'penalty_interest': ('penalty_interest_count_365d <= ' ~ policy('low_risk.max_penalty_interest'), owns_account),
        'negative_balance': ('balance_min_365d >= ' ~ policy('low_risk.min_balance'), owns_account),
        'regular_inflow': ('income_periods >= ' ~ policy('low_risk.min_income_periods'), has_history),
        'income_stability': (
            'income_variation <= ' ~ policy('low_risk.max_income_variation'),
            'has_history and income_variation is not null',
        ),
        'debt_service': (
            'debt_service_ratio <= ' ~ policy('low_risk.max_debt_service_ratio'),
            'payments_180d is not null',
        ),
        'legal_basis': ('marketing_bases > 0', 'true'),
    }) }}
{%- endmacro %}
