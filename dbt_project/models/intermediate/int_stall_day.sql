{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    lease_key,
    trade_date,
    turnover,
    least(refunds, turnover) as refunds,
    business_date
from {{ ref('stg_market__daily_turnover') }}
where {{ in_run('business_date') }}
