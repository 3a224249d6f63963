{#-
  The signals of early_warning in their order. Each has the column of int_party_signal that it looks at; whether a high or a
  low value is a warning; the kinds of party it speaks of; the column that says since when, where that is known; from where
  on it is a yellow and a red warning; and what it says, in words.
-#}
{% macro warning_signals() -%}
    {%- set anybody, persons, organisations = ['person', 'organisation'], ['person'], ['organisation'] -%}
    {{ return({
        'abnormal_flow': ('flow_z', 'low', anybody, none,
            policy('early_warning.abnormal_flow_yellow'), policy('early_warning.abnormal_flow_red'),
            'Net flow of 30 days is far below what is usual for the party.'),
        'abnormal_outflow': ('outflow_z', 'high', anybody, none,
            policy('early_warning.abnormal_outflow_yellow'), policy('early_warning.abnormal_outflow_red'),
            'Outflow of 30 days against its usual one is far above that of peers.'),
        'deposit_drain': ('balance_share', 'low', anybody, none,
            policy('early_warning.deposit_drain_yellow'), policy('early_warning.deposit_drain_red'),
            'Little is left of the average balance of 90 days.'),
        'wages_stopped': ('days_since_income', 'high', persons, 'income_stopped_on',
            policy('early_warning.wages_stopped_yellow'), policy('early_warning.wages_stopped_red'),
            'Regular income no longer arrives.'),
        'income_drop': ('income_share', 'low', persons, none,
            policy('early_warning.income_drop_yellow'), policy('early_warning.income_drop_red'),
            'Income of the last whole month is far below what is usual.'),
        'turnover_drop': ('turnover_share', 'low', anybody, none,
            policy('early_warning.turnover_drop_yellow'), policy('early_warning.turnover_drop_red'),
            'Turnover, invoices or declared revenue are far below those of the time before.'),
        'card_utilisation_jump': ('utilisation_rise', 'high', persons, none,
            policy('early_warning.card_utilisation_jump_yellow'), policy('early_warning.card_utilisation_jump_red'),
            'Much more of the credit card limits is used than 90 days ago.'),
        'card_cash_advance': ('cash_advance_share', 'high', persons, none,
            policy('early_warning.card_cash_advance_yellow'), policy('early_warning.card_cash_advance_red'),
            'Much cash was drawn by credit card in 90 days.'),
        'late_instalments': ('late_instalments', 'high', anybody, 'first_late_on',
            policy('early_warning.late_instalments_yellow'), policy('early_warning.late_instalments_red'),
            'Instalments of 90 days were paid late.'),
        'early_arrears': ('days_past_due', 'high', anybody, 'past_due_on',
            policy('early_warning.early_arrears_yellow'), policy('early_warning.early_arrears_red'),
            'A loan or a credit card is past due.'),
        'applications': ('applications', 'high', anybody, none,
            policy('early_warning.applications_yellow'), policy('early_warning.applications_red'),
            'Several loans were applied for in 90 days.'),
        'new_loans': ('new_loans', 'high', anybody, 'first_new_loan_on',
            policy('early_warning.new_loans_yellow'), policy('early_warning.new_loans_red'),
            'Several loans were granted in 90 days.'),
        'bureau_debt_growth': ('bureau_debt_growth', 'high', anybody, 'bureau_report_on',
            policy('early_warning.bureau_debt_growth_yellow'), policy('early_warning.bureau_debt_growth_red'),
            'Debt at all banks grew much from one bureau report to the next.'),
        'bureau_arrears': ('bureau_arrears_rise', 'high', anybody, 'bureau_report_on',
            policy('early_warning.bureau_arrears_yellow'), policy('early_warning.bureau_arrears_red'),
            'Arrears at any bank are worse than in the bureau report before.'),
        'bureau_inquiries': ('bureau_inquiries', 'high', anybody, 'bureau_report_on',
            policy('early_warning.bureau_inquiries_yellow'), policy('early_warning.bureau_inquiries_red'),
            'Many banks asked the bureau in six months.'),
        'litigation': ('cases_filed', 'high', anybody, 'first_filed_on',
            policy('early_warning.litigation_yellow'), policy('early_warning.litigation_red'),
            'Sued in the last 180 days.'),
        'enforcement': ('enforcements_open', 'high', anybody, 'enforced_since',
            policy('early_warning.enforcement_yellow'), policy('early_warning.enforcement_red'),
            'Under enforcement, or on the list of dishonest debtors.'),
        'management_change': ('management_changes', 'high', organisations, 'management_changed_on',
            policy('early_warning.management_change_yellow'), policy('early_warning.management_change_red'),
            'Legal representative or shareholders changed in 180 days.'),
    }) }}
{%- endmacro %}

{#- yellow or red, or null: what the value of a signal says. -#}
{% macro signal_severity(signal) -%}
    {%- set column, side, kinds, since, yellow, red, evidence = warning_signals()[signal] -%}
    {%- set beyond = '>=' if side == 'high' else '<=' -%}
    case
        when {{ column }} {{ beyond }} {{ red }} then 'red'
        when {{ column }} {{ beyond }} {{ yellow }} then 'yellow'
    end
{%- endmacro %}

{#- The names of the signals that speak of a kind of party. -#}
{% macro signals_of(kind) -%}
    {%- set names = [] -%}
    {%- for signal, (column, side, kinds, since, yellow, red, evidence) in warning_signals().items() if kind in kinds -%}
        {%- do names.append(signal) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
