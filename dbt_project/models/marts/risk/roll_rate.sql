{% set width = 'cast(floor(' ~ policy('classification.roll_bucket_days') ~ ') as bigint)' %}
{% set last_bucket = 'cast(floor(' ~ policy('classification.roll_last_bucket') ~ ') as bigint)' %}

with segments as (
    {{ portfolio_segments() }}
),

states as (
    select
        facility.business_date,
        facility.facility_kind,
        facility.facility_key,
        facility.outstanding_amount,
        'M' || cast(least(
            {{ integer_divide('facility.days_past_due + ' ~ width ~ ' - 1', width) }}, {{ last_bucket }}
        ) as string) as bucket
    from {{ ref('int_facility') }} as facility
    where facility.days_past_due is not null
),

segments_of as (
    select
        business_date,
        facility_kind,
        facility_key,
        case
            when facility_kind = 'card' then 'card'
            when max(case when is_non_retail then 1 else 0 end) = 1 then 'non_retail'
            else 'retail'
        end as segment
    from {{ ref('int_facility_debtor') }}
    group by business_date, facility_kind, facility_key
),

moves as (
    select
        as_of.business_date,
        segments.segment,
        month_before.bucket as from_bucket,
        coalesce(now_is.bucket, 'closed') as to_bucket,
        count(*) as facilities,
        cast(coalesce(sum(month_before.outstanding_amount), 0) as decimal(18, 2)) as amount_before
    from {{ ref('int_as_of_date') }} as as_of
    inner join states as month_before
        on month_before.business_date = {{ add_months('as_of.business_date', -1) }}
    inner join segments_of
        on
            month_before.business_date = segments_of.business_date
            and month_before.facility_kind = segments_of.facility_kind
            and month_before.facility_key = segments_of.facility_key
    inner join segments
        on segments_of.segment = segments.counted
    left join states as now_is
        on
            as_of.business_date = now_is.business_date
            and month_before.facility_kind = now_is.facility_kind
            and month_before.facility_key = now_is.facility_key
    group by as_of.business_date, segments.segment, month_before.bucket, coalesce(now_is.bucket, 'closed')
),

totals as (
    select
        *,
        cast(sum(facilities) over (partition by business_date, segment, from_bucket) as bigint)
            as facilities_in_bucket,
        cast(sum(amount_before) over (partition by business_date, segment, from_bucket) as decimal(18, 2))
            as amount_in_bucket
    from moves
)

select
    business_date,
    segment,
    from_bucket,
    to_bucket,
    cast(facilities as bigint) as facilities,
    amount_before,
    {{ quotient('facilities', 'facilities_in_bucket', scale=4, type='decimal(9, 4)') }} as share_of_facilities,
    {{ quotient('amount_before', 'amount_in_bucket', scale=4, type='decimal(9, 4)') }} as share_of_amount
from totals
