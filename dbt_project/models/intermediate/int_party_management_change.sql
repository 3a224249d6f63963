-- Legal representatives and shareholders of a company that came or went in 180 days, after its first days.
with companies as (
    select
        record.party_id,
        record.business_date,
        company.source,
        company.registration_key,
        company.founded_on
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_registry__company') }} as company
        on
            record.source = company.source
            and record.record_key = company.registration_key
            and record.business_date >= company.valid_from
            and record.business_date < company.valid_to
    where record.contract = 'registry.company' and record.role = 'company'
),

changes as (
    select
        companies.party_id,
        companies.business_date,
        entry.source,
        entry.role_key,
        case
            when entry.until < companies.business_date then entry.until
            when companies.founded_on < entry.since then entry.since
        end as changed_on
    from companies
    inner join {{ ref('stg_registry__role') }} as entry
        on
            companies.source = entry.source
            and companies.registration_key = entry.registration_key
            and companies.business_date >= entry.valid_from
            and companies.business_date < entry.valid_to
    where
        entry.role in ('legal_representative', 'shareholder')
        and companies.business_date >= entry.since
),

totals as (
    select
        party_id,
        business_date,
        count(*) as management_changes,
        min(changed_on) as management_changed_on
    from changes
    where {{ add_days('business_date', -180) }} < changed_on
    group by party_id, business_date
)

select distinct
    companies.party_id,
    companies.business_date,
    cast(coalesce(totals.management_changes, 0) as bigint) as management_changes,
    totals.management_changed_on
from companies
left join totals
    on companies.party_id = totals.party_id and companies.business_date = totals.business_date
