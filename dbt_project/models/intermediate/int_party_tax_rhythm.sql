-- A return that is filed again replaces the one before it, as in int_party_tax.
with filings as (
    select
        record.party_id,
        record.business_date,
        filing.tax_type,
        filing.declared_revenue,
        filing.is_late,
        {{ integer_divide(days_between('filing.filed_on', 'record.business_date'), 180) }} as half,
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
        count(*) as filings,
        count(*) filter (where not is_late) as filings_in_time,
        cast(
            sum(case when tax_type = 'vat' and recency = 1 and half = 0 then declared_revenue else 0 end)
            as decimal(18, 2)
        ) as revenue,
        cast(
            sum(case when tax_type = 'vat' and recency = 1 and half = 1 then declared_revenue else 0 end)
            as decimal(18, 2)
        ) as revenue_before
    from filings
    group by party_id, business_date
),

observed as (
    select
        business_date,
        max(days_delivered_365d) as days_delivered
    from {{ ref('int_source_delivery') }}
    where contract = 'tax.filing'
    group by business_date
)

select
    totals.party_id,
    totals.business_date,
    {{ quotient('totals.filings_in_time', 'totals.filings', scale=4, type='decimal(9, 4)') }}
        as tax_punctual_share_365d,
    -- Both halves of the window must have been delivered whole.
    case
        when observed.days_delivered >= 365
            then {{ capped_quotient('totals.revenue', 'totals.revenue_before') }}
    end as tax_revenue_trend_180d
from totals
inner join observed
    on totals.business_date = observed.business_date
