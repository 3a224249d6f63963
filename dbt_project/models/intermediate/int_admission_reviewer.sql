-- Who looks at a case: a risk officer in service, of the branch of the party's relationship manager, or else of that
-- district or the party's own, or else any. A bank without a risk officer has another relationship manager look. Among
-- several it is always the same one for a party: whose number and the party's together make the smallest hash, so that
-- who joins or leaves moves no more cases than must be.
with officers as (
    select
        as_of.business_date,
        staff.staff_key,
        staff.role,
        staff.branch_key,
        staff.district_key
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_reference__staff') }} as staff
        on
            as_of.business_date >= staff.valid_from
            and as_of.business_date < staff.valid_to
            and as_of.business_date >= staff.hired_on
            and coalesce(as_of.business_date <= staff.left_on, true)
    where staff.role in ('risk_officer', 'relationship_manager')
),

managers as (
    select
        crm.party_id,
        crm.business_date,
        min(staff.staff_key) as manager_key,
        min(staff.branch_key) as branch_key,
        min(staff.district_key) as district_key
    from {{ ref('int_crm_party') }} as crm
    inner join {{ ref('stg_crm__customer') }} as customer
        on
            crm.source = customer.source
            and crm.customer_key = customer.customer_key
            and crm.business_date >= customer.valid_from
            and crm.business_date < customer.valid_to
    inner join {{ ref('stg_reference__staff') }} as staff
        on
            customer.manager_key = staff.staff_key
            and crm.business_date >= staff.valid_from
            and crm.business_date < staff.valid_to
    group by crm.party_id, crm.business_date
),

candidates as (
    select
        cases.party_id,
        cases.business_date,
        officers.staff_key,
        officers.role,
        case
            when managers.branch_key = officers.branch_key then 'branch'
            when coalesce(managers.district_key, party.district_key) = officers.district_key then 'district'
            else 'bank'
        end as assigned_by,
        {{ case_key("cases.party_id || ' ' || officers.staff_key") }} as lot
    from {{ ref('int_admission_case') }} as cases
    inner join {{ ref('int_party') }} as party
        on cases.party_id = party.party_id and cases.business_date = party.business_date
    inner join officers
        on cases.business_date = officers.business_date
    left join managers
        on cases.party_id = managers.party_id and cases.business_date = managers.business_date
    -- Nobody decides on a customer of their own.
    where coalesce(managers.manager_key <> officers.staff_key, true)
),

ranked as (
    select
        *,
        row_number() over (
            partition by party_id, business_date
            order by
                case role when 'risk_officer' then 1 else 2 end asc nulls last,
                case assigned_by when 'branch' then 1 when 'district' then 2 else 3 end asc nulls last,
                lot asc nulls last,
                staff_key asc nulls last
        ) as place
    from candidates
)

select
    party_id,
    business_date,
    staff_key as reviewer_key,
    role as reviewer_role,
    assigned_by
from ranked
where place = 1
