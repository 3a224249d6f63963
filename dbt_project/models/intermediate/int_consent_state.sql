-- Two axes: the days of which an event speaks, and the days from which the bank knew it. It holds until the day of the
-- next one, as far as that one is known.
with ends as (
    select
        party_id,
        business_date,
        purpose,
        data_class,
        partner,
        action,
        valid_from,
        known_from,
        place,
        cast(null as date) as valid_to
    from {{ ref('int_consent_event') }}
    union all
    select
        events.party_id,
        events.business_date,
        events.purpose,
        events.data_class,
        events.partner,
        events.action,
        events.valid_from,
        greatest(events.known_from, later.known_from) as known_from,
        events.place,
        later.valid_from as valid_to
    from {{ ref('int_consent_event') }} as events
    inner join {{ ref('int_consent_event') }} as later
        on
            events.party_id = later.party_id
            and events.business_date = later.business_date
            and events.purpose = later.purpose
            and events.data_class = later.data_class
            and events.partner = later.partner
            and events.place < later.place
),

known as (
    select
        party_id,
        business_date,
        purpose,
        data_class,
        partner,
        place,
        action,
        valid_from,
        known_from,
        min(min(valid_to)) over (
            partition by party_id, business_date, purpose, data_class, partner, place
            order by known_from asc nulls last
            rows between unbounded preceding and current row
        ) as valid_to
    from ends
    group by party_id, business_date, purpose, data_class, partner, place, action, valid_from, known_from
),

changes as (
    select
        *,
        row_number() over (
            partition by party_id, business_date, purpose, data_class, partner, place
            order by known_from asc nulls last
        ) as step,
        lag(valid_to) over (
            partition by party_id, business_date, purpose, data_class, partner, place
            order by known_from asc nulls last
        ) as valid_to_before
    from known
),

steps as (
    select
        *,
        lead(known_from) over (
            partition by party_id, business_date, purpose, data_class, partner, place
            order by known_from asc nulls last
        ) as known_to
    from changes
    where step = 1 or valid_to_before is null or valid_to_before > valid_to
)

select
    party_id,
    business_date,
    purpose,
    data_class,
    partner,
    valid_from,
    known_from,
    valid_to,
    known_to,
    action = 'grant' as is_given
from steps
where valid_to is null or valid_from < valid_to
