{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    account_key,
    direction,
    amount,
    cast(count(*) as bigint) as bookings,
    business_date
from {{ source('core', 'transaction') }}
where _change = 'upsert' and channel in ('cash_in', 'cash_out') and {{ in_run('business_date') }}
group by source, account_key, direction, amount, business_date
