-- As low_risk_list, by the credit bureau, partners and courts as well: of whom data of the bureau may serve marketing.
with
{{ low_risk_facts(
    warning='int_party_warning', class='int_party_classification', pd='graded.pd',
    joins={'graded': ref('risk_grade'), 'admission': ref('admission_decision')},
    permissions=[
        'marketing_basic', 'marketing_transaction', 'marketing_public', 'marketing_bureau', 'marketing_automated',
    ],
    more=[
        'customer.bureau_worst_days_past_due_24m', 'customer.bureau_inquiries_6m', 'admission.decision as admission',
    ]
) }}

{{ low_risk_decisions('with_bureau', source('history', 'low_risk_list_with_bureau')) }}
