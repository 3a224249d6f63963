-- A party owns an account once, by however many holdings: what of a holding an earlier one covers is cut off.
with holdings as (
    select
        party_id,
        account_key,
        valid_to as owned_to,
        greatest(valid_from, coalesce(max(valid_to) over (
            partition by party_id, account_key
            order by valid_from nulls last, valid_to nulls last, holding_key nulls last, source nulls last
            rows between unbounded preceding and 1 preceding
        ), valid_from)) as owned_from
    from {{ ref('int_holding') }}
    where role = 'owner'
)

select
    party_id,
    account_key,
    owned_from,
    owned_to
from holdings
where owned_from < owned_to
