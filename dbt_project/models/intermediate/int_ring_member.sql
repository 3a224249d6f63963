with members as (
    select
        party_id,
        business_date,
        ring_id
    from {{ source('relation', 'party_network') }}
    where ring_id is not null
),

accounts as (
    select
        members.party_id,
        members.business_date,
        count(*) as accounts_opened_30d
    from members
    inner join {{ ref('int_party_account') }} as account
        on members.party_id = account.party_id and members.business_date = account.business_date
    where account.is_owned and {{ days_between('account.opened_on', 'members.business_date') }} < 30
    group by members.party_id, members.business_date
),

users as (
    select
        members.party_id,
        members.business_date,
        record.source,
        record.record_key as app_user_key
    from members
    inner join {{ ref('int_record_party') }} as record
        on members.party_id = record.party_id and members.business_date = record.business_date
    where record.contract = 'channel.app_event' and record.role = 'user'
),

changes as (
    select
        app_user.party_id,
        app_user.business_date,
        sum(app_change.phone_changes + app_change.password_resets) as changes
    from users as app_user
    inner join {{ ref('int_app_change_day') }} as app_change
        on
            app_user.source = app_change.source
            and app_user.app_user_key = app_change.app_user_key
            and app_user.business_date >= app_change.business_date
            and {{ add_days('app_user.business_date', -30) }} < app_change.business_date
    group by app_user.party_id, app_user.business_date
),

devices as (
    select
        app_user.party_id,
        app_user.business_date,
        app_user.source,
        app_user.app_user_key,
        app_day.device_id_token,
        max({{ days_between('app_day.business_date', 'app_user.business_date') }}) as first_days_ago
    from users as app_user
    inner join {{ ref('int_app_day') }} as app_day
        on
            app_user.source = app_day.source
            and app_user.app_user_key = app_day.app_user_key
            and app_user.business_date >= app_day.business_date
            and {{ add_days('app_user.business_date', -90) }} < app_day.business_date
    where app_day.device_id_token is not null
    group by
        app_user.party_id, app_user.business_date, app_user.source, app_user.app_user_key, app_day.device_id_token
),

-- Of a user who was not known before the 30 days, every device is new and says nothing.
device_changes as (
    select
        party_id,
        business_date,
        sum(new_devices) as new_devices
    from (
        select
            party_id,
            business_date,
            source,
            app_user_key,
            case when max(first_days_ago) >= 30 then count(*) filter (where first_days_ago < 30) else 0 end
                as new_devices
        from devices
        group by party_id, business_date, source, app_user_key
    ) as of_user
    group by party_id, business_date
)

select
    members.party_id,
    members.business_date,
    members.ring_id,
    coalesce(accounts.accounts_opened_30d, 0) as accounts_opened_30d,
    cast(coalesce(changes.changes, 0) + coalesce(device_changes.new_devices, 0) as bigint) as takeover_events_30d
from members
left join accounts
    on members.party_id = accounts.party_id and members.business_date = accounts.business_date
left join changes
    on members.party_id = changes.party_id and members.business_date = changes.business_date
left join device_changes
    on members.party_id = device_changes.party_id and members.business_date = device_changes.business_date
