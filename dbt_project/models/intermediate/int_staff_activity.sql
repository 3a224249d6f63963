{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    staff_key,
    cast(count(*) as bigint) as operations,
    cast(count(*) filter (where is_off_hours) as bigint) as off_hours_operations,
    {% for action in ['view_customer', 'edit_customer', 'export_list', 'approve_loan', 'reset_password'] -%}
        cast(count(*) filter (where action = '{{ action }}') as bigint) as {{ action }}_operations,
    {% endfor -%}
    cast(count(distinct party_key) as bigint) as customers_touched,
    cast(sum(record_count) as bigint) as records,
    cast(coalesce(sum(record_count) filter (where action = 'export_list'), 0) as bigint) as records_exported,
    business_date
from {{ ref('stg_ops__audit_log') }}
where {{ in_run('business_date') }}
group by source, staff_key, business_date
