select
    holding.party_id,
    as_of.business_date,
    holding.account_key,
    max(case when holding.role = 'owner' then 1 else 0 end) = 1 as is_owned,
    min(holding.opened_on) as opened_on
from {{ ref('int_as_of_date') }} as as_of
inner join {{ ref('int_holding') }} as holding
    on
        as_of.business_date >= holding.valid_from
        and as_of.business_date < holding.valid_to
group by holding.party_id, as_of.business_date, holding.account_key
