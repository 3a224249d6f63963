with filings as (
    {{ tax_filings(['tax_type', 'declared_revenue', 'is_late', 'filed_on']) }}
),

halves as (
    select
        party_id,
        business_date,
        tax_type,
        declared_revenue,
        is_late,
        recency,
        {{ integer_divide(days_between('filed_on', 'business_date'), 180) }} as half
    from filings
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
    from halves
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
