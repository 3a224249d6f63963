-- How far turnover fell, by each source that shows it, and the worst of them: stalls, 30 days against the 60 before;
-- invoices, 90 days against the 90 before; declared revenue, the last month against the mean of the three before.
with stalls as (
    select
        party_id,
        business_date,
        {{ quotient(
            'least(turnover_30d * 2, (turnover_90d - turnover_30d) * 99999)', 'turnover_90d - turnover_30d', scale=4,
            type='decimal(9, 4)'
        ) }} as turnover_share
    from {{ ref('int_party_market') }}
    where lease_tenure_days >= 90 and market_completeness >= {{ policy('early_warning.min_completeness') }}
),

invoiced as (
    select
        record.party_id,
        record.business_date,
        cast(coalesce(sum(
            case when {{ add_days('record.business_date', -90) }} < invoice.issued_on then invoice.amount end
        ), 0) as decimal(18, 2)) as amount,
        cast(coalesce(sum(
            case when {{ add_days('record.business_date', -90) }} >= invoice.issued_on then invoice.amount end
        ), 0) as decimal(18, 2)) as amount_before
    from {{ ref('int_shared_record') }} as record
    inner join {{ ref('stg_supply_chain__invoice') }} as invoice
        on
            record.source = invoice.source
            and record.record_key = invoice.seller_uscc_token
            and record.business_date >= invoice.valid_from
            and record.business_date < invoice.valid_to
            and record.business_date >= invoice.issued_on
            and {{ add_days('record.business_date', -180) }} < invoice.issued_on
    where record.contract = 'supply_chain.invoice' and record.role = 'seller'
    group by record.party_id, record.business_date
),

filings as (
    {{ tax_filings(['tax_type', 'period', 'declared_revenue']) }}
),

periods as (
    select
        party_id,
        business_date,
        period,
        max(declared_revenue) as declared_revenue,
        row_number() over (partition by party_id, business_date order by period desc nulls last) as recency
    from filings
    where tax_type = 'vat' and recency = 1
    group by party_id, business_date, period
),

declared as (
    select
        party_id,
        business_date,
        {{ sum_measure('declared_amount', 'case when recency = 1 then declared_revenue end') }} as latest_amount,
        {{ sum_measure('declared_amount', 'case when recency > 1 then declared_revenue end') }} as amount_before,
        count(*) as periods
    from periods
    where recency <= {{ policy('early_warning.tax_periods') }}
    group by party_id, business_date
),

shares as (
    select
        party_id,
        business_date,
        turnover_share
    from stalls
    where turnover_share is not null
    union all
    select
        party_id,
        business_date,
        {{ quotient('least(amount, amount_before * 99999)', 'amount_before', scale=4, type='decimal(9, 4)') }}
            as turnover_share
    from invoiced
    where amount_before > 0
    union all
    select
        party_id,
        business_date,
        {{ quotient(
            'least(latest_amount * (periods - 1), amount_before * 99999)', 'amount_before', scale=4, type='decimal(9, 4)'
        ) }} as turnover_share
    from declared
    where amount_before > 0 and periods = {{ policy('early_warning.tax_periods') }}
)

select
    party_id,
    business_date,
    min(turnover_share) as turnover_share
from shares
group by party_id, business_date
