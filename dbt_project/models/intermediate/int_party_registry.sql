-- Of several registrations of one party the one that changed last speaks.
with companies as (
    select
        record.party_id,
        record.business_date,
        company.status,
        company.registered_capital,
        company.founded_on,
        company.is_srdi,
        row_number() over (
            partition by record.party_id, record.business_date
            order by
                company.valid_from desc nulls last,
                company.source asc nulls last,
                company.registration_key asc nulls last
        ) as recency
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_registry__company') }} as company
        on
            record.source = company.source
            and record.record_key = company.registration_key
            and record.business_date >= company.valid_from
            and record.business_date < company.valid_to
    where record.contract = 'registry.company' and record.role = 'company'
),

roles_of as (
    select
        record.party_id,
        record.business_date,
        count(*) filter (
            where
            record.business_date >= role_entry.since
            and coalesce(record.business_date <= role_entry.until, true)
        ) as roles_held
    from {{ ref('int_record_party') }} as record
    inner join {{ ref('stg_registry__role') }} as role_entry
        on
            record.source = role_entry.source
            and record.record_key = role_entry.role_key
            and record.business_date >= role_entry.valid_from
            and record.business_date < role_entry.valid_to
    where record.contract = 'registry.role' and record.role = 'person'
    group by record.party_id, record.business_date
),

roles_known as (
    select distinct business_date
    from {{ ref('int_source_delivery') }}
    where contract = 'registry.role'
),

parties as (
    select
        party.party_id,
        party.business_date,
        companies.status,
        companies.registered_capital,
        companies.founded_on,
        companies.is_srdi,
        case
            when
                (party.has_national_id or roles_of.party_id is not null) and roles_known.business_date is not null
                then coalesce(roles_of.roles_held, 0)
        end as roles_held,
        case when party.has_uscc or companies.party_id is not null then 1 else 0 end
        + case when party.has_national_id or roles_of.party_id is not null then 1 else 0 end as entries_expected
    from {{ ref('int_party') }} as party
    left join companies
        on
            party.party_id = companies.party_id
            and party.business_date = companies.business_date
            and companies.recency = 1
    left join roles_of
        on party.party_id = roles_of.party_id and party.business_date = roles_of.business_date
    left join roles_known
        on party.business_date = roles_known.business_date
)

select
    party_id,
    business_date,
    status as company_status,
    registered_capital,
    {{ days_between('founded_on', 'business_date') }} as company_age_days,
    is_srdi,
    cast(roles_held as bigint) as roles_held,
    {% set known = '(case when status is null then 0 else 1 end + case when roles_held is null then 0 else 1 end)' -%}
    {{ quotient(known, 'entries_expected', scale=4, type='decimal(9, 4)') }} as registry_completeness
from parties
where entries_expected > 0
