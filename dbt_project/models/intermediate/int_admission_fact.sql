-- What the rules of admission_decision look at; empty where it is not known of the party.
select
    cases.party_id,
    cases.business_date,
    cases.case_key,
    cases.occasion,
    cases.opened_on,
    party.party_kind,
    party.age_years,
    court.enforcements_open,
    court.cases_filed,
    bureau.bureau_worst_days_past_due_24m,
    bureau.bureau_inquiries_6m,
    credit.days_past_due,
    registry.company_status,
    tax_paid.tax_unpaid_share,
    tax.tax_grade,
    environment.penalties_365d,
    coalesce(network.ring_id, '') <> '' as in_ring,
    credit.applications_90d,
    warning.severity as warning
from {{ ref('int_admission_case') }} as cases
inner join {{ ref('int_party') }} as party
    on cases.party_id = party.party_id and cases.business_date = party.business_date
{% for name, model in {
    'court': ref('int_party_litigation'), 'bureau': ref('int_party_bureau'), 'credit': ref('int_party_credit'),
    'registry': ref('int_party_registry'), 'tax_paid': ref('int_party_tax_paid'), 'tax': ref('int_party_tax'),
    'environment': ref('int_party_environment'), 'warning': ref('int_party_warning'),
    'network': source('relation', 'party_network'),
}.items() -%}
    left join {{ model }} as {{ name }}
        on cases.party_id = {{ name }}.party_id and cases.business_date = {{ name }}.business_date
{% endfor %}
