{% set measures = ['orders', 'order_amount', 'returned_amount', 'pay_later_amount'] %}

-- Of what lies before the 90 days only the buyers are read: who ordered within the year is known, if only as one
-- without an order since.
with buyers as (
    select
        record.party_id,
        record.business_date,
        record.source,
        record.record_key as buyer_key
    from {{ ref('int_shared_record') }} as record
    where record.contract = 'ecommerce.order' and record.role = 'buyer'
),

recent as (
    select
        buyers.party_id,
        buyers.business_date,
        order_day.source,
        {% for measure in measures -%}
            order_day.{{ measure }},
        {% endfor -%}
        order_day.business_date as ordered_on
    from buyers
    inner join {{ ref('int_order_day') }} as order_day
        on
            buyers.source = order_day.source
            and buyers.buyer_key = order_day.buyer_key
            and buyers.business_date >= order_day.business_date
            and {{ add_days('buyers.business_date', -90) }} < order_day.business_date
),

known as (
    select
        party_id,
        business_date,
        source
    from recent
    union all
    select
        buyers.party_id,
        buyers.business_date,
        buyers.source
    from buyers
    inner join {{ ref('int_order_day') }} as order_day
        on
            buyers.source = order_day.source
            and buyers.buyer_key = order_day.buyer_key
            and {{ add_days('buyers.business_date', -90) }} >= order_day.business_date
            and {{ add_days('buyers.business_date', -365) }} < order_day.business_date
),

totals as (
    select
        party_id,
        business_date,
        {% for measure in measures -%}
            {{ sum_measure(measure, measure) }} as {{ measure }}_90d,
        {% endfor -%}
        count(distinct ordered_on) as order_days
    from recent
    group by party_id, business_date
),

delivered as (
    {{ sources_delivered('known', 'ecommerce.order', 90) }}
)

select
    delivered.party_id,
    delivered.business_date,
    cast(coalesce(totals.orders_90d, 0) as bigint) as orders_90d,
    cast(coalesce(totals.order_amount_90d, 0) as decimal(18, 2)) as order_amount_90d,
    {{ quotient('totals.returned_amount_90d', 'totals.order_amount_90d', scale=4, type='decimal(9, 4)') }}
        as order_return_share_90d,
    {{ quotient('totals.pay_later_amount_90d', 'totals.order_amount_90d', scale=4, type='decimal(9, 4)') }}
        as pay_later_share_90d,
    cast(coalesce(totals.order_days, 0) as bigint) as order_days_90d,
    {{ quotient('delivered.days_delivered', '(90 * delivered.sources_in_all)', scale=4, type='decimal(9, 4)') }}
        as ecommerce_completeness
from delivered
left join totals
    on delivered.party_id = totals.party_id and delivered.business_date = totals.business_date
