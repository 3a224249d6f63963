-- Written last, so that a run that stops half way leaves its dates to the next one.
-- depends_on: {{ ref('int_account_day') }}, {{ ref('int_party_day') }}
{{
    config(
        materialized='incremental',
        unique_key='business_date',
        pre_hook='{{ clear_run_dates() }}',
    )
}}

select
    digest,
    business_date
from {{ source('control', 'business_date') }}
where {{ in_run('business_date') }}
