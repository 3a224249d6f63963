with segments as (
    {{ portfolio_segments() }}
),

digits as (
    {{ digits() }}
),

months as (
    select cast(100 * hundreds.digit + 10 * tens.digit + ones.digit as bigint) as months_on_book
    from digits as hundreds
    cross join digits as tens
    cross join digits as ones
),

loans as (
    select
        loan.business_date,
        loan.loan_key,
        loan.granted_on,
        loan.early_on,
        loan.late_on,
        cast(date_trunc('month', loan.granted_on) as date) as granted_month,
        case
            when max(case when party.party_kind = 'organisation' then 1 else 0 end) = 1 then 'non_retail'
            else 'retail'
        end as segment
    from {{ ref('int_loan_onset') }} as loan
    inner join {{ ref('int_party_account') }} as account
        on loan.business_date = account.business_date and loan.account_key = account.account_key
    inner join {{ source('identity', 'party') }} as party
        on account.party_id = party.party_id
    where account.is_owned
    group by loan.business_date, loan.loan_key, loan.granted_on, loan.early_on, loan.late_on
),

totals as (
    select
        loans.business_date,
        segments.segment,
        loans.granted_month,
        months.months_on_book,
        count(*) as loans,
        count(*) filter (where loans.early_on <= {{ add_months('loans.granted_on', 'months.months_on_book') }})
            as loans_ever_early,
        count(*) filter (where loans.late_on <= {{ add_months('loans.granted_on', 'months.months_on_book') }})
            as loans_ever_late
    from loans
    inner join segments
        on loans.segment = segments.counted
    inner join months
        -- A month counts once every loan that can have been granted in the month of origin has reached it.
        on {{ add_months('loans.granted_month', 'months.months_on_book + 1') }} <= loans.business_date
    where months.months_on_book > 0
    group by loans.business_date, segments.segment, loans.granted_month, months.months_on_book
)

select
    business_date,
    segment,
    granted_month,
    months_on_book,
    cast(loans as bigint) as loans,
    cast(loans_ever_early as bigint) as loans_ever_early,
    cast(loans_ever_late as bigint) as loans_ever_late,
    {{ quotient('loans_ever_early', 'loans', scale=4, type='decimal(9, 4)') }} as share_ever_early,
    {{ quotient('loans_ever_late', 'loans', scale=4, type='decimal(9, 4)') }} as share_ever_late
from totals
