-- What of the tax due by the returns of 365 days is not paid.
with filings as (
    {{ tax_filings(['tax_due', 'tax_paid']) }}
),

totals as (
    select
        party_id,
        business_date,
        cast(sum(tax_due) as decimal(18, 2)) as due,
        cast(sum(greatest(tax_due - tax_paid, 0)) as decimal(18, 2)) as unpaid
    from filings
    where recency = 1
    group by party_id, business_date
)

-- Nothing due, nothing unpaid.
select
    party_id,
    business_date,
    unpaid as tax_unpaid_amount,
    coalesce({{ quotient('unpaid', 'due', scale=4, type='decimal(9, 4)') }}, 0) as tax_unpaid_share
from totals
