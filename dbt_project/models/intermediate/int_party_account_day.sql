{{ config(materialized='view') }}

select
    owning.party_id,
    account_day.source,
    account_day.account_key,
    {% for measure in flow_measures() -%}
        account_day.{{ measure }},
    {% endfor -%}
    account_day.business_date
from {{ ref('int_account_day') }} as account_day
inner join {{ ref('int_ownership') }} as owning
    on
        account_day.account_key = owning.account_key
        and account_day.business_date >= owning.owned_from
        and account_day.business_date < owning.owned_to
