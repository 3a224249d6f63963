with positions as (
    select
        record.party_id,
        record.business_date,
        count(*) as positions,
        sum(held.market_value) as market_value
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_wealth__holding') }} as held
        on
            record.party_key = held.party_key
            and record.business_date >= held.valid_from
            and record.business_date < held.valid_to
    group by record.party_id, record.business_date
)

select
    party.party_id,
    party.business_date,
    {{ once_delivered('delivered.first_row_on', 'positions.positions') }} as wealth_positions,
    {{ once_delivered('delivered.first_row_on', 'positions.market_value', type='decimal(18, 2)') }}
        as wealth_market_value,
    case
        when delivered.first_row_on is not null
            then cast(coalesce(balance.balance, 0) + coalesce(positions.market_value, 0) as decimal(18, 2))
    end as aum,
    cast(case when delivered.first_row_on is null then 0 else 1 end as decimal(9, 4)) as wealth_completeness
from {{ ref('int_party') }} as party
inner join {{ ref('int_delivery_as_of') }} as delivered
    on party.business_date = delivered.business_date and delivered.contract = 'wealth.holding'
left join positions
    on party.party_id = positions.party_id and party.business_date = positions.business_date
left join {{ ref('int_party_balance') }} as balance
    on party.party_id = balance.party_id and party.business_date = balance.business_date
