-- By the bank's own data alone: no bureau, no partner, no court, whether as value or as the choice of rows.
{{ scored(scorecards()['person_internal'], "customer_status = 'customer'") }},

{{ low_risk_facts(
    warning='int_party_own_warning', class='int_party_overdue_class',
    pd='cast(round(graded.pd_year, 6) as decimal(9, 6))', joins={'graded': 'scored'},
    permissions=['marketing_basic', 'marketing_transaction', 'marketing_public', 'marketing_automated']
) }}

{{ low_risk_decisions('internal', source('history', 'low_risk_list')) }}
