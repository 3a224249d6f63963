{{ config(materialized='view') }}

select
    source,
    order_key,
    buyer_key,
    buyer_phone_token,
    buyer_phone_hash_token,
    ordered_at,
    category,
    amount,
    returned_amount,
    is_pay_later,
    business_date
from {{ source('ecommerce', 'order') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
