with users as (
    select
        party_id,
        business_date,
        source,
        record_key as app_user_key
    from {{ ref('int_record_party') }}
    where contract = 'channel.app_event' and role = 'user'
),

linked as (
    select distinct
        party_id,
        business_date
    from users
),

days as (
    select
        app_user.party_id,
        app_user.business_date,
        app_day.business_date as active_on,
        app_day.device_id_token,
        app_day.logins,
        app_day.product_views,
        {{ days_between('app_day.business_date', 'app_user.business_date') }} as days_ago
    from users as app_user
    inner join {{ ref('int_app_day') }} as app_day
        on
            app_user.source = app_day.source
            and app_user.app_user_key = app_day.app_user_key
            and app_user.business_date >= app_day.business_date
            and {{ add_days('app_user.business_date', -90) }} < app_day.business_date
),

totals as (
    select
        party_id,
        business_date,
        count(distinct case when days_ago < 30 then active_on end) as days_30d,
        sum(case when days_ago < 30 then logins end) as logins_30d,
        sum(case when days_ago < 30 then product_views end) as product_views_30d,
        count(distinct device_id_token) as devices_90d
    from days
    group by party_id, business_date
)

select
    linked.party_id,
    linked.business_date,
    {{ once_delivered('delivered.first_row_on', 'totals.days_30d') }} as app_days_30d,
    {{ once_delivered('delivered.first_row_on', 'totals.logins_30d') }} as app_logins_30d,
    {{ once_delivered('delivered.first_row_on', 'totals.product_views_30d') }} as product_views_30d,
    {{ once_delivered('delivered.first_row_on', 'totals.devices_90d') }} as app_devices_90d,
    {{ delivered_share('delivered', 'linked.business_date', 90) }} as app_completeness
from linked
inner join {{ ref('int_delivery_as_of') }} as delivered
    on linked.business_date = delivered.business_date and delivered.contract = 'channel.app_event'
left join totals
    on linked.party_id = totals.party_id and linked.business_date = totals.business_date
