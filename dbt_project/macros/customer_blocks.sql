{#-
  The blocks of customer_360 in their order: what one area knows of a party, each a model int_party_<block> with at most one
  row per party and as-of date, with the columns that the mart takes of it; its share of what is known is
  <block>_completeness. A party that a block has no row of is not known to it.
-#}
{% macro customer_blocks() -%}
    {{ return({
        'credit': [
            'loan_arrears_amount', 'loan_days_past_due', 'loan_outstanding_principal', 'card_days_past_due',
            'card_statement_balance', 'card_limit', 'card_utilisation', 'card_cash_advance_90d', 'days_past_due',
            'applications_90d', 'applications_declined_365d', 'guaranteed_by_others_amount', 'collateral_value',
        ],
        'wealth': [
            'wealth_positions', 'wealth_market_value', 'aum_deposits', 'aum_wealth', 'aum',
        ],
        'value': [
            'value_deposit_margin_365d', 'value_loan_margin_365d', 'value_wealth_fees_365d', 'value_income_365d',
        ],
        'spending': [
            'grocery_amount_90d', 'dining_amount_90d', 'travel_amount_90d', 'online_amount_90d',
            'education_amount_90d',
        ],
        'app': [
            'app_days_30d', 'app_logins_30d', 'product_views_30d', 'app_devices_90d',
        ],
        'crm': [
            'occupation', 'education', 'marital_status', 'annual_income', 'channel_preference', 'investor_risk_level',
        ],
        'campaign': [
            'campaign_contacts_90d', 'campaign_responses_90d', 'campaign_conversions_365d',
        ],
        'service': [
            'complaints_365d', 'complaints_open', 'complaint_open_days', 'days_since_complaint',
        ],
        'survey': [
            'last_nps_score',
        ],
        'consent': [
            'consent_marketing', 'consent_data_sharing', 'consent_bureau_query', 'consent_automated_marketing',
            'consent_sensitive_processing', 'marketing_opt_out',
        ],
        'contactability': [
            'contacts_30d', 'may_be_contacted', 'contact_refusal',
        ],
        'payroll': [
            'has_payroll_agreement',
        ],
        'ecommerce': [
            'orders_90d', 'order_amount_90d', 'order_return_share_90d', 'pay_later_share_90d', 'order_days_90d',
        ],
        'market': [
            'is_merchant', 'stalls_leased', 'lease_tenure_days', 'monthly_rent', 'turnover_30d', 'turnover_90d',
            'turnover_trend_90d', 'trading_days_30d', 'refund_share_90d',
        ],
        'supply_chain': [
            'invoiced_90d', 'invoice_buyers_365d', 'invoice_top_buyer_share_365d', 'overdue_invoice_share_365d',
            'shipments_90d',
        ],
        'medical': [
            'medical_payments_365d',
        ],
        'tax': [
            'tax_revenue_365d', 'tax_late_filings_365d', 'tax_grade',
        ],
        'registry': [
            'company_status', 'registered_capital', 'company_age_days', 'is_srdi', 'roles_held',
        ],
        'judicial': [
            'judicial_cases_365d', 'judicial_open_cases', 'judicial_open_amount',
        ],
        'bureau': [
            'bureau_open_loans', 'bureau_loan_balance', 'bureau_card_utilisation', 'bureau_worst_days_past_due_24m',
            'bureau_inquiries_6m', 'bureau_report_age_days',
        ],
        'social_security': [
            'months_contributed_365d', 'contribution_base',
        ],
        'environment': [
            'penalties_365d', 'penalty_amount_365d',
        ],
    }) }}
{%- endmacro %}

{#- Their columns, as customer_360 has them, from joins that are called like the blocks. -#}
{% macro customer_block_columns() -%}
    {% for block, columns in customer_blocks().items() -%}
        {% for column in columns -%}
            {{ block }}.{{ column }},
        {% endfor -%}
        cast(coalesce({{ block }}.{{ block }}_completeness, 0) as decimal(9, 4)) as {{ block }}_completeness
        {{- ',' if not loop.last }}
    {% endfor -%}
{%- endmacro %}
