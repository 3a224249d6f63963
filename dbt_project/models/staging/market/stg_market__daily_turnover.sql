{{ config(materialized='view') }}

select
    source,
    lease_key,
    trade_date,
    turnover,
    tickets,
    refunds,
    business_date
from {{ source('market', 'daily_turnover') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
