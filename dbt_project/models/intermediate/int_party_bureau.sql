with reports as (
    {{ bureau_reports([
        'open_loans', 'loan_balance', 'card_limit', 'card_balance', 'worst_days_past_due_24m', 'inquiries_6m',
    ]) }}
)

select
    party_id,
    business_date,
    open_loans as bureau_open_loans,
    loan_balance as bureau_loan_balance,
    card_balance as bureau_card_balance,
    -- The column holds no more; so far beyond any limit the difference says nothing.
    case
        when card_balance >= card_limit * 99999 and card_limit > 0 then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('card_balance', 'card_limit', scale=4, type='decimal(9, 4)') }}
    end as bureau_card_utilisation,
    worst_days_past_due_24m as bureau_worst_days_past_due_24m,
    inquiries_6m as bureau_inquiries_6m,
    {{ days_between('report_date', 'business_date') }} as bureau_report_age_days,
    cast(1 as decimal(9, 4)) as bureau_completeness
from reports
where recency = 1
