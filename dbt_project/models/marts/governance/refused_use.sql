with landed as (
    select
        as_of.business_date,
        landing.contract,
        sum(case when landing.business_date = as_of.business_date then landing.accepted else 0 end) as accepted,
        sum(landing.accepted) as accepted_365d
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ source('control', 'landing') }} as landing
        on
            as_of.business_date >= landing.business_date
            and {{ add_days('as_of.business_date', -365) }} < landing.business_date
    where landing.measure = 'rows' and landing.status = 'landed'
    group by as_of.business_date, landing.contract
),

refusals as (
    select
        as_of.business_date,
        refusal.refusal,
        refusal.subject,
        refusal.use_refused,
        refusal.article,
        refusal.reason_zh,
        refusal.reason_en,
        refusal.stopped_by,
        nullif(refusal.contract, '-') as contract
    from {{ ref('int_as_of_date') }} as as_of
    cross join {{ source('control', 'refusal') }} as refusal
)

select
    refusals.business_date,
    refusals.refusal,
    max(refusals.subject) as subject,
    max(refusals.use_refused) as use_refused,
    max(refusals.article) as article,
    max(refusals.reason_zh) as reason_zh,
    max(refusals.reason_en) as reason_en,
    max(refusals.stopped_by) as stopped_by,
    count(refusals.contract) as contracts,
    case when count(refusals.contract) > 0 then cast(coalesce(sum(landed.accepted), 0) as bigint) end as rows_delivered,
    case when count(refusals.contract) > 0 then cast(coalesce(sum(landed.accepted_365d), 0) as bigint) end
        as rows_delivered_365d
from refusals
left join landed
    on refusals.business_date = landed.business_date and refusals.contract = landed.contract
group by refusals.business_date, refusals.refusal
