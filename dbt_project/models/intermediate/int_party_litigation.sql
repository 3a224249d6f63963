-- Cases against a party: those filed in 180 days, and enforcement that is open.
with cases as (
    select
        record.party_id,
        record.business_date,
        court_case.case_type,
        court_case.filed_on,
        {{ days_between('court_case.filed_on', 'record.business_date') }} as days_ago,
        court_case.case_type in ('enforcement', 'dishonest_debtor')
        and coalesce(court_case.closed_on > record.business_date, true) as is_enforced
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
        count(*) filter (where days_ago < 180 and case_type <> 'other') as cases_filed,
        min(case when days_ago < 180 and case_type <> 'other' then filed_on end) as first_filed_on,
        count(*) filter (where is_enforced) as enforcements_open,
        min(case when is_enforced then filed_on end) as enforced_since
    from cases
    group by party_id, business_date
)

-- Whom int_party_judicial knows, courts would have been found for.
select
    judicial.party_id,
    judicial.business_date,
    cast(coalesce(totals.cases_filed, 0) as bigint) as cases_filed,
    totals.first_filed_on,
    cast(coalesce(totals.enforcements_open, 0) as bigint) as enforcements_open,
    totals.enforced_since
from {{ ref('int_party_judicial') }} as judicial
left join totals
    on judicial.party_id = totals.party_id and judicial.business_date = totals.business_date
