-- A reference to an account or a party names no source, so it is looked up in whichever source delivers the key; that a
-- key never belongs to two sources at once is tested where the histories are built.
select
    holder.source,
    holder.holding_key,
    crosswalk.party_id,
    holder.account_key,
    holder.role,
    account.opened_on,
    greatest(holder.valid_from, account.valid_from, party.valid_from) as valid_from,
    least(holder.valid_to, account.valid_to, party.valid_to) as valid_to
from {{ ref('stg_core__account_holder') }} as holder
inner join {{ ref('stg_core__account') }} as account
    on
        holder.account_key = account.account_key
        and holder.valid_from < account.valid_to
        and holder.valid_to > account.valid_from
inner join {{ ref('stg_core__party') }} as party
    on
        holder.party_key = party.party_key
        and greatest(holder.valid_from, account.valid_from) < party.valid_to
        and least(holder.valid_to, account.valid_to) > party.valid_from
left join {{ source('identity', 'party_crosswalk') }} as crosswalk
    on
        crosswalk.contract = 'core.party'
        and crosswalk.role = 'holder'
        and party.source = crosswalk.source
        and party.party_key = crosswalk.record_key
