-- A user who changed the phone is known by the one that came last.
with phone_days as (
    select
        source,
        app_user_key,
        phone_token,
        business_date,
        sum(events) as events
    from {{ ref('int_app_day') }}
    where phone_token is not null
    group by source, app_user_key, phone_token, business_date
),

phones as (
    select
        as_of.business_date,
        phone_days.source,
        phone_days.app_user_key,
        phone_days.phone_token,
        row_number() over (
            partition by as_of.business_date, phone_days.source, phone_days.app_user_key
            order by
                phone_days.business_date desc nulls last,
                phone_days.events desc nulls last,
                phone_days.phone_token asc nulls last
        ) as recency
    from {{ ref('int_as_of_date') }} as as_of
    inner join phone_days
        on as_of.business_date >= phone_days.business_date
)

select
    phones.business_date,
    phones.source,
    phones.app_user_key,
    by_phone.party_id
from phones
inner join {{ ref('int_identifier_party') }} as by_phone
    on
        phones.business_date = by_phone.business_date
        and phones.phone_token = by_phone.token
        and by_phone.kind = 'phone'
where phones.recency = 1
