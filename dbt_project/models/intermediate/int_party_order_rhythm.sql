-- The last six 30-day periods of what a party ordered; period 0 ends on the business date.
with orders as (
    select
        record.party_id,
        record.business_date,
        {{ integer_divide(days_between('order_day.business_date', 'record.business_date'), 30) }} as period,
        {{ integer_divide(days_between('order_day.business_date', 'record.business_date'), 90) }} as half,
        order_day.order_amount
    from {{ ref('int_shared_record') }} as record
    left join {{ ref('int_order_day') }} as order_day
        on
            record.source = order_day.source
            and record.record_key = order_day.buyer_key
            and record.business_date >= order_day.business_date
            and {{ add_days('record.business_date', -180) }} < order_day.business_date
    where record.contract = 'ecommerce.order' and record.role = 'buyer'
),

totals as (
    select
        party_id,
        business_date,
        cast(count(distinct period) as bigint) as periods,
        cast(coalesce(sum(order_amount) filter (where half = 0), 0) as decimal(18, 2)) as amount_90d,
        cast(coalesce(sum(order_amount) filter (where half = 1), 0) as decimal(18, 2)) as amount_90d_before
    from orders
    group by party_id, business_date
),

observed as (
    select
        business_date,
        max(days_delivered_365d) as days_delivered
    from {{ ref('int_source_delivery') }}
    where contract = 'ecommerce.order'
    group by business_date
)

select
    totals.party_id,
    totals.business_date,
    totals.periods as order_periods,
    {{ capped_quotient('totals.amount_90d', 'totals.amount_90d_before') }} as order_trend_180d
from totals
inner join observed
    on totals.business_date = observed.business_date
where observed.days_delivered >= 180
