{#-
  Generated from data_contracts/scorecards/ by `zhongtai contracts sync`. Change the cards, not this file.

  Every card by its name. Of each characteristic `points` is SQL over the columns of the card's mart and `most` the
  points of its best bin; `offset`, `factor`, `intercept` and `slope` make a probability of a score.
-#}
{% macro scorecards() -%}
    {{ return({
        'merchant': {
            'card': "merchant 1.0.0",
            'banks': ["simbank", "simbank_postgres"],
            'population': "cast(party_type as string) in ('merchant')",
            'requires': "coalesce(market_completeness >= 0.2, false)",
            'base_points': "580",
            'factor': "28.8539008178",
            'offset': "487.1228762045",
            'intercept': "0",
            'slope': "1",
            'performance_days': 180,
            'pd_floor': "0.0003",
            'characteristics': [
                {'column': "lease_tenure_days", 'code': "SHORT_LEASE", 'points': "case when lease_tenure_days is null then -8 when lease_tenure_days < 180 then -12 when lease_tenure_days < 365 then -4 when lease_tenure_days < 730 then 4 else 12 end", 'most': "12"},
                {'column': "turnover_trend_90d", 'code': "TURNOVER_FALLS", 'points': "case when turnover_trend_90d is null then -6 when turnover_trend_90d < 0.5 then -25 when turnover_trend_90d < 0.8 then -10 when turnover_trend_90d < 0.95 then 0 else 8 end", 'most': "8"},
                {'column': "trading_days_30d", 'code': "FEW_TRADING_DAYS", 'points': "case when trading_days_30d is null then -6 when trading_days_30d < 10 then -20 when trading_days_30d < 20 then -6 when trading_days_30d < 26 then 4 else 8 end", 'most': "8"},
                {'column': "refund_share_90d", 'code': "REFUNDS", 'points': "case when refund_share_90d is null then -2 when refund_share_90d < 0.02 then 6 when refund_share_90d < 0.05 then 0 when refund_share_90d < 0.1 then -8 else -20 end", 'most': "6"},
                {'column': "overdue_invoice_share_365d", 'code': "INVOICES_OVERDUE", 'points': "case when overdue_invoice_share_365d is null then 0 when overdue_invoice_share_365d < 0.05 then 6 when overdue_invoice_share_365d < 0.2 then -4 else -15 end", 'most': "6"},
                {'column': "invoice_top_buyer_share_365d", 'code': "ONE_BUYER", 'points': "case when invoice_top_buyer_share_365d is null then 0 when invoice_top_buyer_share_365d < 0.4 then 4 when invoice_top_buyer_share_365d < 0.7 then -2 else -8 end", 'most': "4"},
                {'column': "tax_late_filings_365d", 'code': "LATE_FILINGS", 'points': "case when tax_late_filings_365d is null then 0 when tax_late_filings_365d < 1 then 4 when tax_late_filings_365d < 2 then -6 else -15 end", 'most': "4"},
                {'column': "judicial_open_cases", 'code': "COURT", 'points': "case when judicial_open_cases is null then 0 when judicial_open_cases < 1 then 2 else -25 end", 'most': "2"},
                {'column': "days_past_due", 'code': "PAST_DUE", 'points': "case when days_past_due is null then 0 when days_past_due < 1 then 3 when days_past_due < 30 then -30 else -60 end", 'most': "3"},
                {'column': "balance_min_90d", 'code': "LOW_BALANCE", 'points': "case when balance_min_90d is null then -4 when balance_min_90d < 0 then -20 when balance_min_90d < 1000 then -6 when balance_min_90d < 10000 then 2 else 8 end", 'most': "8"},
            ],
        },
        'person': {
            'card': "person 1.0.0",
            'banks': ["simbank", "simbank_postgres"],
            'population': "cast(party_kind as string) in ('person') and cast(customer_status as string) in ('customer')",
            'requires': "coalesce(credit_completeness >= 0.5, false) and coalesce(flows_completeness >= 0.2, false)",
            'base_points': "600",
            'factor': "28.8539008178",
            'offset': "487.1228762045",
            'intercept': "0.031",
            'slope': "1.0066",
            'performance_days': 180,
            'pd_floor': "0.0003",
            'characteristics': [
                {'column': "days_past_due", 'code': "PAST_DUE", 'points': "case when days_past_due is null then 0 when days_past_due < 26 then 17 else -114 end", 'most': "17"},
                {'column': "loan_arrears_amount", 'code': "ARREARS", 'points': "case when loan_arrears_amount is null then 0 when loan_arrears_amount < 90.23 then 1 else -51 end", 'most': "1"},
                {'column': "card_utilisation", 'code': "CARD_UTILISATION", 'points': "case when card_utilisation is null then 17 when card_utilisation < 0.2921 then 30 when card_utilisation < 0.7422 then 7 else -57 end", 'most': "30"},
                {'column': "income_amount_30d", 'code': "INCOME_MONTH", 'points': "case when income_amount_30d < 1920 then -15 when income_amount_30d < 2378 then -11 when income_amount_30d < 3090 then -7 when income_amount_30d < 3436 then -5 when income_amount_30d < 6287 then 1 else 7 end", 'most': "7"},
                {'column': "income_amount_365d", 'code': "INCOME_YEAR", 'points': "case when income_amount_365d < 8042 then -3 when income_amount_365d < 12310 then -2 when income_amount_365d < 14190 then -1 when income_amount_365d < 23760 then 0 when income_amount_365d < 38560 then 1 else 2 end", 'most': "2"},
                {'column': "penalty_interest_count_365d", 'code': "PENALTY_INTEREST", 'points': "case when penalty_interest_count_365d < 1 then 2 else -43 end", 'most': "2"},
                {'column': "judicial_open_cases", 'code': "COURT", 'points': "case when judicial_open_cases is null then 0 when judicial_open_cases < 1 then 1 else -24 end", 'most': "1"},
                {'column': "judicial_cases_365d", 'code': "COURT_YEAR", 'points': "case when judicial_cases_365d is null then 0 when judicial_cases_365d < 1 then 1 else -18 end", 'most': "1"},
                {'column': "pay_later_share_90d", 'code': "PAY_LATER", 'points': "case when pay_later_share_90d is null then -2 when pay_later_share_90d < 0.0829 then 5 when pay_later_share_90d < 0.2162 then -1 when pay_later_share_90d < 0.4818 then -8 else -11 end", 'most': "5"},
                {'column': "travel_amount_90d", 'code': "TRAVEL", 'points': "case when travel_amount_90d is null then 0 when travel_amount_90d < 10 then -4 when travel_amount_90d < 170.3 then -1 else 10 end", 'most': "10"},
            ],
        },
        'person_internal': {
            'card': "person_internal 1.0.0",
            'banks': ["simbank", "simbank_postgres"],
            'population': "cast(party_kind as string) in ('person') and cast(customer_status as string) in ('customer')",
            'requires': "coalesce(credit_completeness >= 0.5, false) and coalesce(flows_completeness >= 0.2, false)",
            'base_points': "601",
            'factor': "28.8539008178",
            'offset': "487.1228762045",
            'intercept': "0.0072",
            'slope': "1.0035",
            'performance_days': 180,
            'pd_floor': "0.0003",
            'characteristics': [
                {'column': "days_past_due", 'code': "PAST_DUE", 'points': "case when days_past_due is null then 0 when days_past_due < 26 then 17 else -118 end", 'most': "17"},
                {'column': "loan_arrears_amount", 'code': "ARREARS", 'points': "case when loan_arrears_amount is null then 0 when loan_arrears_amount < 90.23 then 1 else -52 end", 'most': "1"},
                {'column': "card_utilisation", 'code': "CARD_UTILISATION", 'points': "case when card_utilisation is null then 17 when card_utilisation < 0.2921 then 31 when card_utilisation < 0.7422 then 8 else -59 end", 'most': "31"},
                {'column': "income_amount_30d", 'code': "INCOME_MONTH", 'points': "case when income_amount_30d < 1920 then -15 when income_amount_30d < 2378 then -11 when income_amount_30d < 3090 then -7 when income_amount_30d < 3436 then -5 when income_amount_30d < 6287 then 1 else 8 end", 'most': "8"},
                {'column': "income_amount_365d", 'code': "INCOME_YEAR", 'points': "case when income_amount_365d < 12310 then -3 when income_amount_365d < 14190 then -1 when income_amount_365d < 23760 then 0 when income_amount_365d < 38560 then 1 else 2 end", 'most': "2"},
                {'column': "penalty_interest_count_365d", 'code': "PENALTY_INTEREST", 'points': "case when penalty_interest_count_365d < 1 then 3 else -47 end", 'most': "3"},
                {'column': "travel_amount_90d", 'code': "TRAVEL", 'points': "case when travel_amount_90d is null then 0 when travel_amount_90d < 10 then -4 when travel_amount_90d < 170.3 then -1 else 10 end", 'most': "10"},
            ],
        },
    }) }}
{%- endmacro %}
