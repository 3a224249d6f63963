{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    account_key,
    counterparty_account_token,
    business_date
from {{ source('core', 'transaction') }}
where _change = 'upsert' and counterparty_account_token is not null and {{ in_run('business_date') }}
group by source, account_key, counterparty_account_token, business_date
