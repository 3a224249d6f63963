-- A product that the catalogue does not have is taken for a wealth product: that is what its position says.
with positions as (
    select
        record.party_id,
        record.business_date,
        count(*) as positions,
        sum(held.market_value) as market_value,
        sum(case when product.product_family = 'deposit' then held.market_value end) as deposit_value
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_wealth__holding') }} as held
        on
            record.party_key = held.party_key
            and record.business_date >= held.valid_from
            and record.business_date < held.valid_to
    left join {{ ref('stg_reference__product') }} as product
        on
            held.product_key = product.product_key
            and record.business_date >= product.valid_from
            and record.business_date < product.valid_to
    group by record.party_id, record.business_date
),

figures as (
    select
        party.party_id,
        party.business_date,
        delivered.first_row_on,
        positions.positions,
        coalesce(positions.market_value, 0) as market_value,
        coalesce(positions.deposit_value, 0) as deposit_value,
        coalesce(balance.balance, 0) as balance
    from {{ ref('int_party') }} as party
    inner join {{ ref('int_delivery_as_of') }} as delivered
        on party.business_date = delivered.business_date and delivered.contract = 'wealth.holding'
    left join positions
        on party.party_id = positions.party_id and party.business_date = positions.business_date
    left join {{ ref('int_party_balance') }} as balance
        on party.party_id = balance.party_id and party.business_date = balance.business_date
)

select
    party_id,
    business_date,
    {{ once_delivered('first_row_on', 'positions') }} as wealth_positions,
    {{ once_delivered('first_row_on', 'market_value', type='decimal(18, 2)') }} as wealth_market_value,
    {{ once_delivered('first_row_on', 'balance + deposit_value', type='decimal(18, 2)') }} as aum_deposits,
    {{ once_delivered('first_row_on', 'market_value - deposit_value', type='decimal(18, 2)') }} as aum_wealth,
    {{ once_delivered('first_row_on', 'balance + market_value', type='decimal(18, 2)') }} as aum,
    cast(case when first_row_on is null then 0 else 1 end as decimal(9, 4)) as wealth_completeness
from figures
