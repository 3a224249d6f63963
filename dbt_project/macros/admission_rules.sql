{#-
  The rules of admission_decision in their order. Each has what passes, and what must hold for a verdict at all; both are
  predicates over the columns of the model, and the second is never null; and whether failing it rejects (1) or asks a
  person (0).
-#}
{% macro admission_rules() -%}
    {%- set is_person, is_company = "party_kind = 'person'", "party_kind = 'organisation'" -%}
    {{ return({
        'age': (
            'age_years between ' ~ policy('admission.min_age_years') ~ ' and ' ~ policy('admission.max_age_years')
            ~ ' or ' ~ is_company,
            'age_years is not null or ' ~ is_company,
            policy('admission.age_rejects'),
        ),
        'enforcement': (
            'enforcements_open = 0', 'enforcements_open is not null',
            policy('admission.enforcement_rejects'),
        ),
        'litigation': (
            'cases_filed <= ' ~ policy('admission.max_cases_180d'), 'cases_filed is not null',
            policy('admission.litigation_rejects'),
        ),
        'bureau_arrears': (
            'bureau_worst_days_past_due_24m < ' ~ policy('admission.max_bureau_days_past_due'),
            'bureau_worst_days_past_due_24m is not null',
            policy('admission.bureau_arrears_rejects'),
        ),
        'bureau_inquiries': (
            'bureau_inquiries_6m <= ' ~ policy('admission.max_bureau_inquiries'), 'bureau_inquiries_6m is not null',
            policy('admission.bureau_inquiries_rejects'),
        ),
        'own_arrears': (
            'days_past_due <= ' ~ policy('admission.max_days_past_due'), 'days_past_due is not null',
            policy('admission.own_arrears_rejects'),
        ),
        'registered': (
            is_person ~ " or company_status not in ('revoked', 'deregistered')",
            is_person ~ ' or company_status is not null',
            policy('admission.registered_rejects'),
        ),
        'registry_entry': (
            is_person ~ " or company_status = 'active'", is_person ~ ' or company_status is not null',
            policy('admission.registry_entry_rejects'),
        ),
        'tax_paid': (
            is_person ~ ' or tax_unpaid_share <= ' ~ policy('admission.max_tax_unpaid_share'),
            is_person ~ ' or tax_unpaid_share is not null',
            policy('admission.tax_paid_rejects'),
        ),
        'tax_grade': (
            is_person ~ " or tax_grade <> 'D'", is_person ~ ' or tax_grade is not null',
            policy('admission.tax_grade_rejects'),
        ),
        'environment': (
            is_person ~ ' or penalties_365d <= ' ~ policy('admission.max_penalties'),
            is_person ~ ' or penalties_365d is not null',
            policy('admission.environment_rejects'),
        ),
        'ring': ('not in_ring', 'true', policy('admission.ring_rejects')),
        'applications': (
            'applications_90d <= ' ~ policy('admission.max_applications_90d'), 'applications_90d is not null',
            policy('admission.applications_rejects'),
        ),
        'early_warning': (
            "warning <> 'red'", "coalesce(warning, 'not_evaluable') <> 'not_evaluable'",
            policy('admission.early_warning_rejects'),
        ),
    }) }}
{%- endmacro %}
