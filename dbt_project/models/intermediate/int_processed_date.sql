-- Written last, so that a run that stops half way leaves its dates to the next one.
-- depends_on: {{ ref('int_account_day') }}, {{ ref('int_app_day') }}, {{ ref('int_ledger_control') }}
-- depends_on: {{ ref('int_app_change_day') }}, {{ ref('int_cash_day') }}, {{ ref('int_counterparty_day') }}
-- depends_on: {{ ref('int_staff_activity') }}, {{ ref('int_order_day') }}, {{ ref('int_stall_day') }}
{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    digest,
    business_date
from {{ source('control', 'business_date') }}
where {{ in_run('business_date') }}
