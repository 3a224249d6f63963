{#-
  The signals of early_warning in their order. Each has the column of int_party_signal that it looks at; whether a high or a
  low value is a warning, from the thresholds early_warning.<signal>_yellow and _red on; the kinds of party it speaks of; the
  column that says since when, where that is known; and what it says, in words.
-#}
{% macro warning_signals() -%}
    {%- set anybody, persons, organisations = ['person', 'organisation'], ['person'], ['organisation'] -%}
    {{ return({
        'abnormal_flow': ('flow_z', 'low', anybody, none,
            'Net flow of 30 days is far below what is usual for the party.'),
        'abnormal_outflow': ('outflow_z', 'high', anybody, none,
            'Outflow of 30 days against its usual one is far above that of peers.'),
        'deposit_drain': ('balance_share', 'low', anybody, none,
            'Little is left of the average balance of 90 days.'),
        'wages_stopped': ('days_since_income', 'high', persons, 'income_stopped_on',
            'Regular income no longer arrives.'),
        'income_drop': ('income_share', 'low', persons, none,
            'Income of the last whole month is far below what is usual.'),
        'turnover_drop': ('turnover_share', 'low', anybody, none,
            'Turnover, invoices or declared revenue are far below those of the time before.'),
        'card_utilisation_jump': ('utilisation_rise', 'high', persons, none,
            'Much more of the credit card limits is used than 90 days ago.'),
        'card_cash_advance': ('cash_advance_share', 'high', persons, none,
            'Much cash was drawn by credit card in 90 days.'),
        'late_instalments': ('late_instalments', 'high', anybody, 'first_late_on',
            'Instalments of 90 days were paid late.'),
        'early_arrears': ('days_past_due', 'high', anybody, 'past_due_on',
            'A loan or a credit card is past due.'),
        'applications': ('applications', 'high', anybody, none,
            'Several loans were applied for in 90 days.'),
        'new_loans': ('new_loans', 'high', anybody, 'first_new_loan_on',
            'Several loans were granted in 90 days.'),
        'bureau_debt_growth': ('bureau_debt_growth', 'high', anybody, 'bureau_report_on',
            'Debt at all banks grew much from one bureau report to the next.'),
        'bureau_arrears': ('bureau_arrears_rise', 'high', anybody, 'bureau_report_on',
            'Arrears at any bank are worse than in the bureau report before.'),
        'bureau_inquiries': ('bureau_inquiries', 'high', anybody, 'bureau_report_on',
            'Many banks asked the bureau in six months.'),
        'litigation': ('cases_filed', 'high', anybody, 'first_filed_on',
            'Sued in the last 180 days.'),
        'enforcement': ('enforcements_open', 'high', anybody, 'enforced_since',
            'Under enforcement, or on the list of dishonest debtors.'),
        'management_change': ('management_changes', 'high', organisations, 'management_changed_on',
            'Legal representative or shareholders changed in 180 days.'),
    }) }}
{%- endmacro %}

{#- yellow or red, or null: what the value of a signal says. -#}
{% macro signal_severity(signal) -%}
    {%- set column, side = warning_signals()[signal][0], warning_signals()[signal][1] -%}
    {%- set beyond = '>=' if side == 'high' else '<=' -%}
    case
        when {{ column }} {{ beyond }} {{ policy('early_warning.' ~ signal ~ '_red') }} then 'red'
        when {{ column }} {{ beyond }} {{ policy('early_warning.' ~ signal ~ '_yellow') }} then 'yellow'
    end
{%- endmacro %}

{#- The names of the signals that speak of a kind of party. -#}
{% macro signals_of(kind) -%}
    {%- set names = [] -%}
    {%- for signal, (column, side, kinds, since, evidence) in warning_signals().items() if kind in kinds -%}
        {%- do names.append(signal) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- How many signals have a severity, from columns that are called like them. -#}
{% macro count_signals(severity) -%}
    {%- for signal in warning_signals() -%}
        case when {{ signal }} = '{{ severity }}' then 1 else 0 end{{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
