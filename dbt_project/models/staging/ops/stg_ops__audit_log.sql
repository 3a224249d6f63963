{{ config(materialized='view') }}

select
    source,
    event_key,
    staff_key,
    event_time,
    action,
    party_key,
    record_count,
    is_off_hours,
    business_date
from {{ source('ops', 'audit_log') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
