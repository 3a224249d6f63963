-- Of several registrations under one credit code the one that changed last speaks.
with companies as (
    select
        identifier.party_id,
        identifier.business_date,
        company.status,
        company.registered_capital,
        company.founded_on,
        company.is_srdi,
        row_number() over (
            partition by identifier.party_id, identifier.business_date
            order by
                company.valid_from desc nulls last,
                company.source asc nulls last,
                company.registration_key asc nulls last
        ) as recency
    from {{ ref('int_identifier_party') }} as identifier
    inner join {{ ref('stg_registry__company') }} as company
        on
            identifier.token = company.uscc_token
            and identifier.business_date >= company.valid_from
            and identifier.business_date < company.valid_to
    where identifier.kind = 'uscc'
),

roles_of as (
    select
        identifier.party_id,
        identifier.business_date,
        count(*) as roles_held
    from {{ ref('int_identifier_party') }} as identifier
    inner join {{ ref('stg_registry__role') }} as role_entry
        on
            identifier.token = role_entry.person_national_id_token
            and identifier.business_date >= role_entry.valid_from
            and identifier.business_date < role_entry.valid_to
            and identifier.business_date >= role_entry.since
            and coalesce(identifier.business_date <= role_entry.until, true)
    where identifier.kind = 'national_id'
    group by identifier.party_id, identifier.business_date
),

roles_known as (
    select distinct business_date
    from {{ ref('int_source_delivery') }}
    where contract = 'registry.role'
),

parties as (
    select
        identifier.party_id,
        identifier.business_date,
        companies.status,
        companies.registered_capital,
        companies.founded_on,
        companies.is_srdi,
        case
            when identifier.by_national_id = 1 and roles_known.business_date is not null
                then coalesce(roles_of.roles_held, 0)
        end as roles_held,
        identifier.by_uscc + identifier.by_national_id as keys_found
    from {{ ref('int_party_identifier') }} as identifier
    left join companies
        on
            identifier.party_id = companies.party_id
            and identifier.business_date = companies.business_date
            and companies.recency = 1
    left join roles_of
        on identifier.party_id = roles_of.party_id and identifier.business_date = roles_of.business_date
    left join roles_known
        on identifier.business_date = roles_known.business_date
    where identifier.by_uscc = 1 or identifier.by_national_id = 1
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
    {{ quotient(known, 'keys_found', scale=4, type='decimal(9, 4)') }} as registry_completeness
from parties
