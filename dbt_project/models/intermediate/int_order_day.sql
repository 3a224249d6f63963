{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    buyer_key,
    cast(count(*) as bigint) as orders,
    cast(sum(amount) as decimal(18, 2)) as order_amount,
    cast(sum(least(returned_amount, amount)) as decimal(18, 2)) as returned_amount,
    cast(coalesce(sum(amount) filter (where is_pay_later), 0) as decimal(18, 2)) as pay_later_amount,
    business_date
from {{ ref('stg_ecommerce__order') }}
where buyer_key is not null and {{ in_run('business_date') }}
group by source, buyer_key, business_date
