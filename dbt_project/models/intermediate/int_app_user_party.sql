-- A user who changed the phone is known by the one that came last.
with last_days as (
    select
        as_of.business_date,
        app_day.source,
        app_day.app_user_key,
        max(app_day.business_date) as last_day
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('int_app_day') }} as app_day
        on as_of.business_date >= app_day.business_date
    where app_day.phone_token is not null
    group by as_of.business_date, app_day.source, app_day.app_user_key
),

phone_days as (
    select
        last_days.business_date,
        app_day.source,
        app_day.app_user_key,
        app_day.phone_token,
        sum(app_day.events) as events
    from last_days
    inner join {{ ref('int_app_day') }} as app_day
        on
            last_days.source = app_day.source
            and last_days.app_user_key = app_day.app_user_key
            and last_days.last_day = app_day.business_date
    where app_day.phone_token is not null
    group by last_days.business_date, app_day.source, app_day.app_user_key, app_day.phone_token
),

phones as (
    select
        business_date,
        source,
        app_user_key,
        phone_token,
        row_number() over (
            partition by business_date, source, app_user_key
            order by events desc nulls last, phone_token asc nulls last
        ) as recency
    from phone_days
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
