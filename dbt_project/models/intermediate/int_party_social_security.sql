-- Only the contributions for the last month are put in order, since the base is that of one of them.
with contributions as (
    select
        record.party_id,
        record.business_date,
        contribution.source,
        contribution.contribution_key,
        contribution.period,
        contribution.base_amount,
        contribution.business_date as known_on
    from {{ ref('int_shared_record') }} as record
    inner join {{ ref('stg_social_security__contribution') }} as contribution
        on
            record.source = contribution.source
            and record.record_key = contribution.national_id_token
            and record.business_date >= contribution.business_date
            and record.business_date >= contribution.period
            and {{ add_days('record.business_date', -365) }} < contribution.period
    where record.contract = 'social_security.contribution' and record.role = 'insured'
),

totals as (
    select
        party_id,
        business_date,
        count(distinct period) as months,
        max(period) as last_period
    from contributions
    group by party_id, business_date
),

bases as (
    select
        totals.party_id,
        totals.business_date,
        contributions.base_amount,
        row_number() over (
            partition by totals.party_id, totals.business_date
            order by
                contributions.known_on desc nulls last,
                contributions.source asc nulls last,
                contributions.contribution_key asc nulls last
        ) as recency
    from totals
    inner join contributions
        on
            totals.party_id = contributions.party_id
            and totals.business_date = contributions.business_date
            and totals.last_period = contributions.period
),

delivered as (
    {{ sources_delivered('contributions', 'social_security.contribution', 365) }}
)

select
    totals.party_id,
    totals.business_date,
    cast(totals.months as bigint) as months_contributed_365d,
    bases.base_amount as contribution_base,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as social_security_completeness
from totals
inner join bases
    on totals.party_id = bases.party_id and totals.business_date = bases.business_date and bases.recency = 1
inner join delivered
    on totals.party_id = delivered.party_id and totals.business_date = delivered.business_date
