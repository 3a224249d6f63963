with filings as (
    {{ tax_filings([
        'source', 'tax_type', 'declared_revenue', 'is_late', 'credit_grade', 'filed_on', 'period', 'filing_key',
    ]) }}
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

totals as (
    select
        party_id,
        business_date,
        cast(sum(declared_revenue) filter (where tax_type = 'vat' and recency = 1) as decimal(18, 2)) as revenue,
        count(*) filter (where is_late) as late_filings
    from filings
    group by party_id, business_date
),

delivered as (
    {{ sources_delivered('filings', 'tax.filing', 365) }}
)

select
    totals.party_id,
    totals.business_date,
    totals.revenue as tax_revenue_365d,
    cast(totals.late_filings as bigint) as tax_late_filings_365d,
    grades.credit_grade as tax_grade,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as tax_completeness
from totals
inner join delivered
    on totals.party_id = delivered.party_id and totals.business_date = delivered.business_date
left join grades
    on
        totals.party_id = grades.party_id
        and totals.business_date = grades.business_date
        and grades.recency = 1
