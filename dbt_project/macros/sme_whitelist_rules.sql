{#-
  The rules of sme_whitelist in their order, as those of low_risk_list: what passes, and what must hold for a verdict at all.
-#}
{% macro sme_whitelist_rules() -%}
    {{ return({
        'registered': ("company_status = 'active'", 'company_status is not null'),
        'company_age': (
            'company_age_days >= ' ~ policy('sme_whitelist.min_company_age_days'), 'company_age_days is not null',
        ),
        'tax_grade': ("tax_grade in ('A', 'B', 'M')", 'tax_grade is not null'),
        'tax_on_time': (
            'tax_late_filings_365d <= ' ~ policy('sme_whitelist.max_late_filings'), 'tax_late_filings_365d is not null',
        ),
        'tax_paid': (
            'tax_unpaid_share <= ' ~ policy('sme_whitelist.max_tax_unpaid_share'), 'tax_unpaid_share is not null',
        ),
        'revenue': (
            'tax_revenue_365d between ' ~ policy('sme_whitelist.min_revenue') ~ ' and '
            ~ policy('sme_whitelist.max_revenue'),
            'tax_revenue_365d is not null',
        ),
        'turnover': ('turnover_share >= ' ~ policy('sme_whitelist.min_turnover_share'), 'turnover_share is not null'),
        'enforcement': ('enforcements_open = 0', 'enforcements_open is not null'),
        'litigation': (
            'judicial_open_cases <= ' ~ policy('sme_whitelist.max_open_cases'), 'judicial_open_cases is not null',
        ),
        'management': (
            'management_changes <= ' ~ policy('sme_whitelist.max_management_changes'), 'management_changes is not null',
        ),
        'environment': (
            'penalties_365d <= ' ~ policy('sme_whitelist.max_penalties'), 'penalties_365d is not null',
        ),
    }) }}
{%- endmacro %}
