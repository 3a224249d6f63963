{{ config(materialized='view') }}

select
    ownership.party_id,
    account_day.source,
    account_day.account_key,
    {% for measure in flow_measures() -%}
        account_day.{{ measure }},
    {% endfor -%}
    account_day.business_date
from {{ ref('int_account_day') }} as account_day
inner join {{ ref('int_ownership') }} as ownership
    on
        account_day.account_key = ownership.account_key
        and account_day.business_date >= ownership.owned_from
        and account_day.business_date < ownership.owned_to
