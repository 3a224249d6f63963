-- A lease that is no longer delivered has ended, and what it turned over before stays its merchant's.
with leases as (
    select
        as_of.business_date,
        lease.source,
        lease.lease_key,
        lease.stall_no,
        lease.monthly_rent,
        lease.leased_from,
        least(coalesce({{ add_days('lease.leased_to', 1) }}, lease.valid_to), lease.valid_to) as ended_on,
        row_number() over (
            partition by as_of.business_date, lease.source, lease.lease_key
            order by lease.valid_from desc nulls last
        ) as recency
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_market__stall_lease') }} as lease
        on as_of.business_date >= lease.valid_from
),

links as (
    select distinct
        party_id,
        business_date,
        source,
        record_key as lease_key
    from {{ ref('int_shared_record') }}
    where contract = 'market.stall_lease' and role in ('merchant', 'owner')
)

select
    links.party_id,
    leases.business_date,
    leases.source,
    leases.lease_key,
    leases.stall_no,
    leases.monthly_rent,
    leases.leased_from,
    leases.leased_from <= leases.business_date and leases.ended_on > leases.business_date as is_running,
    leases.leased_from <= leases.business_date
    and {{ add_days('leases.business_date', -90) }} < {{ add_days('leases.ended_on', -1) }} as ran_in_90d
from links
inner join leases
    on
        links.business_date = leases.business_date
        and links.source = leases.source
        and links.lease_key = leases.lease_key
where leases.recency = 1
