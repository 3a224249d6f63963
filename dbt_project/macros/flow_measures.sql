{#-
  What is measured of the bookings of a day: `amount` and `count` of the bookings for which a predicate over
  core.transaction holds. One list for the roll-ups per account and per party, so that they cannot differ.
-#}
{% macro flow_measures() -%}
    {%- set income = "direction = 'credit' and (coalesce(purpose, '') in ('salary', 'pension') or channel = 'transfer_in')" -%}
    {%- set measures = {
        'credit_amount': "direction = 'credit'",
        'credit_count': "direction = 'credit'",
        'debit_amount': "direction = 'debit'",
        'debit_count': "direction = 'debit'",
        'income_amount': income,
        'household_amount': "direction = 'debit' and purpose = 'household'",
        'household_count': "direction = 'debit' and purpose = 'household'",
        'insurance_amount': "direction = 'debit' and purpose = 'insurance'",
        'insurance_count': "direction = 'debit' and purpose = 'insurance'",
        'loan_payment_amount': "direction = 'debit' and purpose = 'loan_payment'",
        'cash_out_amount': "direction = 'debit' and channel = 'cash_out'",
        'card_amount': "direction = 'debit' and channel = 'card'",
        'penalty_interest_count': "direction = 'debit' and purpose = 'penalty_interest'",
        'fee_amount': "direction = 'debit' and purpose in ('statement_fee', 'penalty_interest')",
        'categorised_count': 'merchant_category is not null',
    } -%}
    {%- for category in spending_categories() -%}
        {%- do measures.update({category ~ '_amount': "direction = 'debit' and merchant_category = '" ~ category ~ "'"}) -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}

{#- Categories of merchants that spending is shown by. Medical spending is sensitive and is left out. -#}
{% macro spending_categories() -%}
    {{ return(['grocery', 'dining', 'travel', 'online', 'education']) }}
{%- endmacro %}

{#- The sum of a measure, zero where there is nothing to add, in the type its name tells. -#}
{% macro sum_measure(measure, expression) -%}
    {%- set type = 'decimal(18, 2)' if measure.endswith('_amount') else 'bigint' -%}
    cast(coalesce(sum({{ expression }}), 0) as {{ type }})
{%- endmacro %}
