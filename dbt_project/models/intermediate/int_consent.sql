with events as (
    select
        record.party_id,
        record.business_date,
        said.purpose,
        said.data_class,
        coalesce(said.partner, '') as partner,
        said.action,
        said.event_time,
        said.business_date as known_on,
        said.event_key
    from {{ ref('int_party_record') }} as record
    inner join {{ ref('stg_consent__event') }} as said
        on
            record.party_key = said.party_key
            and record.business_date >= said.business_date
),

subjects as (
    select distinct
        party_id,
        business_date,
        purpose,
        data_class,
        partner
    from events
),

-- What is said of all partners is said of each; of two events at the same moment the withdrawal counts.
applicable as (
    select
        subjects.party_id,
        subjects.business_date,
        subjects.purpose,
        subjects.data_class,
        subjects.partner,
        events.action,
        row_number() over (
            partition by
                subjects.party_id, subjects.business_date, subjects.purpose, subjects.data_class, subjects.partner
            order by
                events.event_time desc nulls last,
                events.action desc nulls last,
                events.known_on desc nulls last,
                events.event_key asc nulls last
        ) as recency
    from subjects
    inner join events
        on
            subjects.party_id = events.party_id
            and subjects.business_date = events.business_date
            and subjects.purpose = events.purpose
            and subjects.data_class = events.data_class
            and (subjects.partner = events.partner or events.partner = '')
)

select
    party_id,
    business_date,
    purpose,
    data_class,
    partner,
    action = 'grant' as is_given
from applicable
where recency = 1
