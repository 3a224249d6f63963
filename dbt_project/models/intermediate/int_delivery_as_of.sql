-- Every contract that a mart rests on has a row, also one that was never delivered.
with contracts as (
    {% for contract in landed_contracts() %}
        select '{{ contract.id }}' as contract
        {%- if not loop.last %} union all {% endif %}
    {% endfor %}
),

landed as (
    select
        contract,
        business_date,
        accepted
    from {{ source('control', 'landing') }}
    where status = 'landed' and measure = 'rows'
)

select
    as_of.business_date,
    contracts.contract,
    max(landed.business_date) as delivered_through,
    min(landed.business_date) filter (where landed.accepted > 0) as first_row_on
from {{ ref('int_as_of_date') }} as as_of
cross join contracts
left join landed
    on
        contracts.contract = landed.contract
        and as_of.business_date >= landed.business_date
group by as_of.business_date, contracts.contract
