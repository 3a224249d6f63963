-- What of the tax due by the returns of 365 days is not paid. A return that is filed again replaces the one before it.
with filings as (
    select
        record.party_id,
        record.business_date,
        filing.tax_due,
        filing.tax_paid,
        row_number() over (
            partition by record.party_id, record.business_date, filing.source, filing.tax_type, filing.period
            order by
                filing.filed_on desc nulls last,
                filing.business_date desc nulls last,
                filing.filing_key asc nulls last
        ) as recency
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_tax__filing') }} as filing
        on
            record.source = filing.source
            and record.record_key = filing.uscc_token
            and record.business_date >= filing.business_date
            and record.business_date >= filing.filed_on
            and {{ add_days('record.business_date', -365) }} < filing.filed_on
    where record.contract = 'tax.filing' and record.role = 'taxpayer'
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
