-- The last bureau report of a party against the one before it.
with reports as (
    {{ bureau_reports(['loan_balance', 'card_balance', 'worst_days_past_due_24m', 'inquiries_6m']) }}
),

debts as (
    select
        party_id,
        business_date,
        report_date,
        recency,
        loan_balance + card_balance as debt,
        worst_days_past_due_24m,
        inquiries_6m
    from reports
)

select
    latest.party_id,
    latest.business_date,
    latest.report_date as bureau_report_on,
    latest.inquiries_6m as bureau_inquiries,
    latest.worst_days_past_due_24m - previous.worst_days_past_due_24m as bureau_arrears_rise,
    -- The column holds no more; so far beyond any limit the difference says nothing.
    case
        when previous.debt < {{ policy('early_warning.min_debt') }} then null
        when latest.debt >= previous.debt * 99999 and previous.debt > 0 then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('latest.debt', 'previous.debt', scale=4, type='decimal(9, 4)') }}
    end as bureau_debt_growth
from debts as latest
left join debts as previous
    on
        latest.party_id = previous.party_id
        and latest.business_date = previous.business_date
        and latest.recency + 1 = previous.recency
where
    latest.recency = 1
    and {{ days_between('latest.report_date', 'latest.business_date') }}
    < {{ policy('early_warning.bureau_max_age_days') }}
