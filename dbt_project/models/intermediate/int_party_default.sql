with defaults as (
    select
        account.party_id,
        loan.business_date,
        loan.defaulted_on
    from {{ ref('int_loan_default') }} as loan
    inner join {{ ref('int_party_account') }} as account
        on loan.business_date = account.business_date and loan.account_key = account.account_key
    where account.is_owned
    union all
    select
        holding.party_id,
        card.business_date,
        card.defaulted_on
    from {{ ref('int_card_default') }} as card
    inner join {{ ref('int_holding') }} as holding
        on
            card.holding_key = holding.holding_key
            and card.business_date >= holding.valid_from
            and card.business_date < holding.valid_to
)

select
    party_id,
    business_date,
    min(defaulted_on) as first_defaulted_on
from defaults
where party_id is not null and {{ add_days('business_date', -180) }} < defaulted_on
group by party_id, business_date
