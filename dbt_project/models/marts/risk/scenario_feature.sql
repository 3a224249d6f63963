with features as (
    select 'household_regularity_180d' as feature, 'household' as scenario
    union all
    select 'insurance_regularity_180d', 'insurance'
    union all
    select 'income_variation_180d', 'income'
    union all
    select 'cash_share_90d', 'cash'
    union all
    select 'card_share_90d', 'card'
),

owners as (
    select
        customer.party_id,
        customer.business_date,
        customer.cash_out_amount_90d,
        customer.card_amount_90d,
        customer.debit_amount_90d,
        regularity.income_variation,
        coalesce(regularity.household_periods, 0) as household_periods,
        coalesce(regularity.insurance_periods, 0) as insurance_periods
    from {{ ref('customer_360') }} as customer
    left join {{ ref('int_party_regularity') }} as regularity
        on
            customer.party_id = regularity.party_id
            and customer.business_date = regularity.business_date
    where customer.accounts_owned > 0
)

select
    owners.party_id,
    owners.business_date,
    features.feature,
    features.scenario,
    case features.feature
        when 'household_regularity_180d'
            then {{ quotient('owners.household_periods', 6, scale=4, type='decimal(9, 4)') }}
        when 'insurance_regularity_180d'
            then {{ quotient('owners.insurance_periods', 6, scale=4, type='decimal(9, 4)') }}
        when 'income_variation_180d' then owners.income_variation
        when 'cash_share_90d'
            then {{ quotient('owners.cash_out_amount_90d', 'owners.debit_amount_90d', scale=4, type='decimal(9, 4)') }}
        when 'card_share_90d'
            then {{ quotient('owners.card_amount_90d', 'owners.debit_amount_90d', scale=4, type='decimal(9, 4)') }}
    end as value
from owners
cross join features
