with landed as (
    select
        contract,
        source,
        business_date,
        status,
        min(case when status = 'landed' then business_date end) over (partition by contract, source) as first_landed_on
    from {{ source('control', 'landing') }}
    where measure = 'rows'
),

windows as (
    select
        as_of.business_date,
        {% for days in [90, 365] -%}
            least({{ days_between('min(landed.first_landed_on)', 'as_of.business_date') }} + 1, {{ days }})
            - count(*) filter (
                where landed.status = 'carried' and {{ add_days('as_of.business_date', -days) }} < landed.business_date
            ) as days_delivered_{{ days }}d,
        {% endfor -%}
        landed.contract,
        landed.source
    from {{ ref('int_as_of_date') }} as as_of
    inner join landed
        on
            as_of.business_date >= landed.business_date
            and landed.first_landed_on <= landed.business_date
    group by as_of.business_date, landed.contract, landed.source
)

select
    business_date,
    contract,
    source,
    cast(days_delivered_90d as bigint) as days_delivered_90d,
    cast(days_delivered_365d as bigint) as days_delivered_365d,
    cast(count(*) over (partition by business_date, contract) as bigint) as sources
from windows
