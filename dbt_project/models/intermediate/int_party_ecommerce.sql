{% set measures = ['orders', 'order_amount', 'returned_amount', 'pay_later_amount'] %}

-- Summed per phone before parties are looked up: there are far more days with orders than phones. Of what lies before
-- the 90 days only the phones are read: who ordered within the year is known, if only as one without an order since.
with phones as (
    select
        as_of.business_date,
        order_day.source,
        {% for measure in measures -%}
            {{ sum_measure(measure, 'order_day.' ~ measure) }} as {{ measure }},
        {% endfor -%}
        order_day.buyer_phone_token
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_order_day') }} as order_day
        on
            as_of.business_date >= order_day.business_date
            and {{ add_days('as_of.business_date', -90) }} < order_day.business_date
    group by as_of.business_date, order_day.source, order_day.buyer_phone_token
    union all
    select distinct
        as_of.business_date,
        order_day.source,
        {% for measure in measures -%}
            cast(0 as {{ 'decimal(18, 2)' if measure.endswith('_amount') else 'bigint' }}) as {{ measure }},
        {% endfor -%}
        order_day.buyer_phone_token
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_order_day') }} as order_day
        on
            {{ add_days('as_of.business_date', -90) }} >= order_day.business_date
            and {{ add_days('as_of.business_date', -365) }} < order_day.business_date
),

shops as (
    select
        identifier.party_id,
        identifier.business_date,
        {% for measure in measures -%}
            {{ sum_measure(measure, 'phones.' ~ measure) }} as {{ measure }},
        {% endfor -%}
        phones.source
    from phones
    inner join {{ ref('int_identifier_party') }} as identifier
        on
            phones.business_date = identifier.business_date
            and phones.buyer_phone_token = identifier.token
    where identifier.kind = 'phone'
    group by identifier.party_id, identifier.business_date, phones.source
),

days as (
    select
        identifier.party_id,
        identifier.business_date,
        count(distinct order_day.business_date) as order_days
    from {{ ref('int_identifier_party') }} as identifier
    inner join {{ ref('int_order_day') }} as order_day
        on
            identifier.token = order_day.buyer_phone_token
            and identifier.business_date >= order_day.business_date
            and {{ add_days('identifier.business_date', -90) }} < order_day.business_date
    where identifier.kind = 'phone'
    group by identifier.party_id, identifier.business_date
),

totals as (
    select
        shops.party_id,
        shops.business_date,
        {% for measure in measures -%}
            {{ sum_measure(measure, 'shops.' ~ measure) }} as {{ measure }}_90d,
        {% endfor -%}
        cast(sum(delivery.days_delivered_90d) as bigint) as days_delivered,
        max(delivery.sources) as sources
    from shops
    inner join {{ ref('int_source_delivery') }} as delivery
        on
            shops.business_date = delivery.business_date
            and shops.source = delivery.source
            and delivery.contract = 'ecommerce.order'
    group by shops.party_id, shops.business_date
)

select
    totals.party_id,
    totals.business_date,
    totals.orders_90d,
    totals.order_amount_90d,
    {{ quotient('totals.returned_amount_90d', 'totals.order_amount_90d', scale=4, type='decimal(9, 4)') }}
        as order_return_share_90d,
    {{ quotient('totals.pay_later_amount_90d', 'totals.order_amount_90d', scale=4, type='decimal(9, 4)') }}
        as pay_later_share_90d,
    cast(coalesce(days.order_days, 0) as bigint) as order_days_90d,
    {{ quotient('totals.days_delivered', '(90 * totals.sources)', scale=4, type='decimal(9, 4)') }}
        as ecommerce_completeness
from totals
left join days
    on totals.party_id = days.party_id and totals.business_date = days.business_date
