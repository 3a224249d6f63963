-- Of the interest that a party paid on a loan stays what the money did not cost the bank: two thirds of it on a loan at
-- 6 % that is funded at 2 %. Where no interest is known, the policy's margin on the principal. Reckoned in decimals: of
-- doubles, 4.015 may be rounded either way.
with interest as (
    select
        as_of.business_date,
        repayment.loan_key,
        cast(sum(repayment.amount - repayment.principal_amount) as decimal(18, 2)) as interest_paid
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_loan__repayment') }} as repayment
        on
            as_of.business_date >= repayment.business_date
            and {{ add_days('as_of.business_date', -365) }} < repayment.business_date
    where repayment.event = 'paid'
    group by as_of.business_date, repayment.loan_key
),

rates as (
    select
        {{ policy('value.deposit_margin') }} as deposit_margin,
        {{ policy('value.funding_rate') }} as funding_rate,
        {{ policy('value.loan_margin') }} as loan_margin,
        {{ policy('value.wealth_fee') }} as wealth_fee
),

-- Rates in millionths, as whole numbers.
rated as (
    select
        loan.*,
        loan.annual_rate * 1000000 as rate_ppm,
        greatest(loan.annual_rate - rates.funding_rate, 0) * 1000000 as kept_ppm,
        loan.principal * rates.loan_margin as assumed_margin
    from {{ ref('stg_loan__contract') }} as loan
    cross join rates
),

loans as (
    select
        account.party_id,
        account.business_date,
        cast(case
            when interest.loan_key is not null and loan.annual_rate > 0
                then {{ quotient(
                    'interest.interest_paid * loan.kept_ppm', 'loan.rate_ppm', scale=2, type='decimal(18, 2)'
                ) }}
            when loan.term_ends_on > account.business_date
                then round(loan.assumed_margin, 2)
            else 0
        end as decimal(18, 2)) as margin
    from {{ ref('int_party_account') }} as account
    inner join rated as loan
        on
            account.account_key = loan.account_key
            and account.business_date >= loan.valid_from
            and account.business_date < loan.valid_to
    left join interest
        on loan.loan_key = interest.loan_key and account.business_date = interest.business_date
    where account.is_owned
),

loan_margins as (
    select
        party_id,
        business_date,
        cast(sum(margin) as decimal(18, 2)) as margin
    from loans
    group by party_id, business_date
),

delivered as (
    select
        business_date,
        count(first_row_on) filter (where contract = 'core.transaction') as bookings,
        count(first_row_on) filter (where contract = 'loan.contract') as loans,
        count(first_row_on) filter (where contract = 'wealth.holding') as positions
    from {{ ref('int_delivery_as_of') }}
    group by business_date
),

parts as (
    select
        party.party_id,
        party.business_date,
        delivered.bookings,
        delivered.loans,
        delivered.positions,
        coalesce(flow.fee_amount_365d, 0) as fees,
        cast(
            round(greatest(coalesce(balance.balance_avg_365d, 0), 0) * rates.deposit_margin, 2) as decimal(18, 2)
        ) as deposit_margin,
        coalesce(loan_margins.margin, 0) as loan_margin,
        cast(round(coalesce(wealth.wealth_market_value, 0) * rates.wealth_fee, 2) as decimal(18, 2)) as wealth_fees
    from {{ ref('int_party') }} as party
    cross join rates
    inner join delivered
        on party.business_date = delivered.business_date
    left join {{ ref('int_party_flow') }} as flow
        on party.party_id = flow.party_id and party.business_date = flow.business_date
    left join {{ ref('int_party_balance') }} as balance
        on party.party_id = balance.party_id and party.business_date = balance.business_date
    left join {{ ref('int_party_wealth') }} as wealth
        on party.party_id = wealth.party_id and party.business_date = wealth.business_date
    left join loan_margins
        on party.party_id = loan_margins.party_id and party.business_date = loan_margins.business_date
)

select
    party_id,
    business_date,
    case when bookings = 1 then deposit_margin end as value_deposit_margin_365d,
    case when loans = 1 then loan_margin end as value_loan_margin_365d,
    case when positions = 1 then wealth_fees end as value_wealth_fees_365d,
    case when bookings = 1 then cast(fees + deposit_margin + loan_margin + wealth_fees as decimal(18, 2)) end
        as value_income_365d,
    {{ quotient('bookings + loans + positions', 3, scale=4, type='decimal(9, 4)') }} as value_completeness
from parts
