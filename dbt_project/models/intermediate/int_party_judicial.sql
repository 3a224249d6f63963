with cases as (
    select
        record.party_id,
        record.business_date,
        {{ days_between('court_case.filed_on', 'record.business_date') }} as days_ago,
        coalesce(court_case.closed_on > record.business_date, true) as is_open,
        court_case.case_type,
        court_case.amount
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_judicial__case') }} as court_case
        on
            record.source = court_case.source
            and record.record_key = court_case.case_key
            and record.business_date >= court_case.valid_from
            and record.business_date < court_case.valid_to
            and record.business_date >= court_case.filed_on
    where record.contract = 'judicial.case' and record.role = 'defendant'
),

totals as (
    select
        party_id,
        business_date,
        count(*) filter (where days_ago < 365) as cases,
        count(*) filter (where is_open) as open_cases,
        count(*) filter (where is_open and case_type = 'enforcement') as open_enforcements,
        count(*) filter (where is_open and case_type = 'dishonest_debtor') as dishonest_entries,
        cast(sum(amount) filter (where is_open) as decimal(18, 2)) as open_amount
    from cases
    group by party_id, business_date
),

delivered as (
    {{ all_sources_delivered('judicial.case', 365) }}
)

select
    party.party_id,
    party.business_date,
    cast(coalesce(totals.cases, 0) as bigint) as judicial_cases_365d,
    cast(coalesce(totals.open_cases, 0) as bigint) as judicial_open_cases,
    cast(coalesce(totals.open_enforcements, 0) as bigint) as judicial_open_enforcements,
    cast(coalesce(totals.dishonest_entries, 0) as bigint) as judicial_dishonest_entries,
    cast(coalesce(totals.open_amount, 0) as decimal(18, 2)) as judicial_open_amount,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as judicial_completeness
from {{ ref('int_party') }} as party
inner join delivered
    on party.business_date = delivered.business_date
left join totals
    on party.party_id = totals.party_id and party.business_date = totals.business_date
where party.has_national_id or party.has_uscc or totals.party_id is not null
