-- Of two events the later one counts, of two at the same moment the withdrawal. What is said of all partners is said of
-- each.
with said as (
    select
        record.party_id,
        record.business_date,
        landed.purpose,
        landed.data_class,
        coalesce(landed.partner, '') as partner,
        landed.action,
        landed.event_time,
        cast(landed.event_time as date) as valid_from,
        landed.business_date as known_from,
        landed.event_key
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_consent__event') }} as landed
        on record.party_key = landed.party_key and record.business_date >= landed.business_date
),

subjects as (
    select distinct
        party_id,
        business_date,
        purpose,
        data_class,
        partner
    from said
)

select
    subjects.party_id,
    subjects.business_date,
    subjects.purpose,
    subjects.data_class,
    subjects.partner,
    said.action,
    said.valid_from,
    said.known_from,
    row_number() over (
        partition by
            subjects.party_id, subjects.business_date, subjects.purpose, subjects.data_class, subjects.partner
        order by
            said.event_time asc nulls last,
            said.action asc nulls last,
            said.known_from asc nulls last,
            said.event_key desc nulls last
    ) as place
from subjects
inner join said
    on
        subjects.party_id = said.party_id
        and subjects.business_date = said.business_date
        and subjects.purpose = said.purpose
        and subjects.data_class = said.data_class
        and (subjects.partner = said.partner or said.partner = '')
