-- A return that is filed again replaces the one before it.
with filings as (
    select
        identifier.party_id,
        identifier.business_date,
        filing.source,
        filing.tax_type,
        filing.declared_revenue,
        filing.is_late,
        filing.credit_grade,
        filing.filed_on,
        filing.period,
        filing.filing_key,
        row_number() over (
            partition by identifier.party_id, identifier.business_date, filing.source, filing.tax_type, filing.period
            order by
                filing.filed_on desc nulls last,
                filing.business_date desc nulls last,
                filing.filing_key asc nulls last
        ) as recency
    from {{ ref('int_identifier_party') }} as identifier
    inner join {{ ref('stg_tax__filing') }} as filing
        on
            identifier.token = filing.uscc_token
            and identifier.business_date >= filing.business_date
            and identifier.business_date >= filing.filed_on
            and {{ add_days('identifier.business_date', -365) }} < filing.filed_on
    where identifier.kind = 'uscc'
),

grades as (
    select
        party_id,
        business_date,
        credit_grade,
        row_number() over (
            partition by party_id, business_date
            order by
                filed_on desc nulls last,
                period desc nulls last,
                source asc nulls last,
                filing_key asc nulls last
        ) as recency
    from filings
    where credit_grade is not null
),

per_source as (
    select
        party_id,
        business_date,
        source,
        cast(sum(declared_revenue) filter (where tax_type = 'vat' and recency = 1) as decimal(18, 2)) as revenue,
        count(*) filter (where is_late) as late_filings
    from filings
    group by party_id, business_date, source
),

totals as (
    select
        per_source.party_id,
        per_source.business_date,
        cast(sum(per_source.revenue) as decimal(18, 2)) as revenue,
        cast(sum(per_source.late_filings) as bigint) as late_filings,
        cast(sum(delivery.days_delivered_365d) as bigint) as days_delivered,
        count(*) as sources
    from per_source
    inner join {{ ref('int_source_delivery') }} as delivery
        on
            per_source.business_date = delivery.business_date
            and per_source.source = delivery.source
            and delivery.contract = 'tax.filing'
    group by per_source.party_id, per_source.business_date
)

select
    totals.party_id,
    totals.business_date,
    totals.revenue as tax_revenue_365d,
    totals.late_filings as tax_late_filings_365d,
    grades.credit_grade as tax_grade,
    {{ quotient('totals.days_delivered', '(365 * totals.sources)', scale=4, type='decimal(9, 4)') }} as tax_completeness
from totals
left join grades
    on
        totals.party_id = grades.party_id
        and totals.business_date = grades.business_date
        and grades.recency = 1
