{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

-- A party that holds an account by two holdings owns it once.
with ownership as (
    select distinct
        account_day.business_date,
        account_day.source,
        account_day.account_key,
        holding.party_id
    from {{ ref('int_account_day') }} as account_day
    inner join {{ ref('int_holding') }} as holding
        on
            account_day.account_key = holding.account_key
            and account_day.business_date >= holding.valid_from
            and account_day.business_date < holding.valid_to
    where holding.role = 'owner' and {{ in_run('account_day.business_date') }}
)

select
    ownership.party_id,
    {% for measure in flow_measures() -%}
        {{ sum_measure(measure, 'account_day.' ~ measure) }} as {{ measure }},
    {% endfor -%}
    ownership.business_date
from ownership
inner join {{ ref('int_account_day') }} as account_day
    on
        ownership.business_date = account_day.business_date
        and ownership.source = account_day.source
        and ownership.account_key = account_day.account_key
group by ownership.party_id, ownership.business_date
