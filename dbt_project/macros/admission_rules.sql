{#-
  The rules of admission_decision in their order. Each has what passes, and what must hold for a verdict at all; both are
  predicates over the columns of the model, and the second is never null. Whether failing a rule rejects or asks a person
  says the threshold admission.<rule>_rejects.
-#}
{% macro admission_rules() -%}
    {%- set is_person, is_company = "party_kind = 'person'", "party_kind = 'organisation'" -%}
    {{ return({
        'age': (
            'age_years between ' ~ policy('admission.min_age_years') ~ ' and ' ~ policy('admission.max_age_years')
            ~ ' or ' ~ is_company,
            'age_years is not null or ' ~ is_company,
        ),
        'enforcement': ('enforcements_open = 0', 'enforcements_open is not null'),
        'litigation': ('cases_filed <= ' ~ policy('admission.max_cases_180d'), 'cases_filed is not null'),
        'bureau_arrears': (
            'bureau_worst_days_past_due_24m < ' ~ policy('admission.max_bureau_days_past_due'),
            'bureau_worst_days_past_due_24m is not null',
        ),
        'bureau_inquiries': (
            'bureau_inquiries_6m <= ' ~ policy('admission.max_bureau_inquiries'), 'bureau_inquiries_6m is not null',
        ),
        'own_arrears': ('days_past_due <= ' ~ policy('admission.max_days_past_due'), 'days_past_due is not null'),
        'registered': (
            is_person ~ " or company_status not in ('revoked', 'deregistered')",
            is_person ~ ' or company_status is not null',
        ),
        'registry_entry': (
            is_person ~ " or company_status = 'active'", is_person ~ ' or company_status is not null',
        ),
        'tax_paid': (
            is_person ~ ' or tax_unpaid_share <= ' ~ policy('admission.max_tax_unpaid_share'),
            is_person ~ ' or tax_unpaid_share is not null',
        ),
        'tax_grade': (is_person ~ " or tax_grade <> 'D'", is_person ~ ' or tax_grade is not null'),
        'environment': (
            is_person ~ ' or penalties_365d <= ' ~ policy('admission.max_penalties'),
            is_person ~ ' or penalties_365d is not null',
        ),
        'ring': ('not in_ring', 'true'),
        'applications': (
            'applications_90d <= ' ~ policy('admission.max_applications_90d'), 'applications_90d is not null',
        ),
        'early_warning': ("warning <> 'red'", "coalesce(warning, 'not_evaluable') <> 'not_evaluable'"),
    }) }}
{%- endmacro %}
