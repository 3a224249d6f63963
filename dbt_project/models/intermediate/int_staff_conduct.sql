-- Customers with whom the bank had something to do in the 30 days, as far as risk may know.
with occasions as (
    select
        complaint.party_key,
        complaint.valid_from as happened_on
    from {{ ref('stg_service__complaint') }} as complaint
    where complaint.party_key is not null
    union all
    select
        party_key,
        business_date as happened_on
    from {{ ref('stg_loan__application') }}
    union all
    select
        party_key,
        valid_from as happened_on
    from {{ ref('stg_core__account_holder') }}
),

staff as (
    select
        as_of.business_date,
        staff.staff_key,
        staff.role,
        staff.branch_key
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_reference__staff') }} as staff
        on
            as_of.business_date >= staff.valid_from
            and as_of.business_date < staff.valid_to
    where staff.hired_on <= as_of.business_date and coalesce(staff.left_on, as_of.business_date) >= as_of.business_date
),

viewed as (
    select distinct
        as_of.business_date,
        audited.staff_key,
        audited.party_key
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_ops__audit_log') }} as audited
        on
            as_of.business_date >= audited.business_date
            and {{ add_days('as_of.business_date', -30) }} < audited.business_date
    where audited.action = 'view_customer' and audited.party_key is not null
),

related as (
    select distinct
        as_of.business_date,
        occasions.party_key
    from {{ ref('int_as_of_date') }} as as_of
    inner join occasions
        on
            as_of.business_date >= occasions.happened_on
            and {{ add_days('as_of.business_date', -30) }} < occasions.happened_on
),

unrelated as (
    select
        viewed.business_date,
        viewed.staff_key,
        count(*) as unrelated_views
    from viewed
    left join related
        on viewed.business_date = related.business_date and viewed.party_key = related.party_key
    where related.party_key is null
    group by viewed.business_date, viewed.staff_key
),

operations as (
    select
        as_of.business_date,
        activity.staff_key,
        sum(activity.edit_customer_operations) as edits,
        max(activity.edit_customer_operations) as busiest_edit_day,
        sum(activity.reset_password_operations) as password_resets,
        sum(activity.off_hours_operations) as off_hours_operations,
        sum(activity.records_exported) as records_exported
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_staff_activity') }} as activity
        on
            as_of.business_date >= activity.business_date
            and {{ add_days('as_of.business_date', -30) }} < activity.business_date
    group by as_of.business_date, activity.staff_key
)

select
    staff.business_date,
    staff.staff_key,
    staff.role,
    staff.branch_key,
    {% for figure in [
        'edits', 'busiest_edit_day', 'password_resets', 'off_hours_operations', 'records_exported',
    ] -%}
        cast(coalesce(operations.{{ figure }}, 0) as bigint) as {{ figure }}_30d,
    {% endfor -%}
    cast(coalesce(unrelated.unrelated_views, 0) as bigint) as unrelated_views_30d
from staff
left join operations
    on staff.business_date = operations.business_date and staff.staff_key = operations.staff_key
left join unrelated
    on staff.business_date = unrelated.business_date and staff.staff_key = unrelated.staff_key
