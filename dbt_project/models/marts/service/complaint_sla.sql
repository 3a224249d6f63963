with complaints as (
    select
        as_of.business_date,
        complaint.source,
        complaint.complaint_key,
        complaint.category,
        complaint.channel,
        complaint.severity,
        complaint.is_complex,
        complaint.product_key,
        complaint.received_at,
        cast(complaint.received_at as date) as received_on,
        -- What waits is measured at the end of the day.
        cast({{ add_days('as_of.business_date', 1) }} as timestamp) as measured_at,
        coalesce(complaint.responded_at, complaint.resolved_at) as answered_at,
        coalesce(cast(complaint.resolved_at as date), as_of.business_date) as measured_on,
        complaint.resolved_at is not null as is_resolved
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_service__complaint') }} as complaint
        on
            as_of.business_date >= complaint.valid_from
            and as_of.business_date < complaint.valid_to
),

recent as (
    select
        *,
        answered_at is not null as is_answered,
        {{ seconds_between('received_at', 'coalesce(answered_at, measured_at)') }} as seconds_used,
        cast({{ policy('complaint.response_hours') }} * 3600 as bigint) as seconds_allowed,
        {{ days_between('received_on', 'measured_on') }} as days_used,
        cast(floor({{ policy('complaint.resolution_working_days') }}) as bigint) as working_days_allowed,
        cast(floor(
            case
                when is_complex then {{ policy('complaint.statutory_complex_days') }}
                else {{ policy('complaint.statutory_days') }}
            end
        ) as bigint) as days_allowed,
        cast(floor({{ policy('complaint.statutory_extension_days') }}) as bigint) as days_more
    from complaints
    where
        not is_resolved
        or {{ days_between('measured_on', 'business_date') }} < {{ policy('complaint.closed_window_days') }}
),

counted as (
    select
        recent.*,
        case when recent.is_complex then recent.days_allowed + recent.days_more end as days_allowed_extended,
        -- Before the first day of the calendar no day is counted: what waits for so long is late anyway.
        coalesce(through.working_days_through, 0) - coalesce(since.working_days_through, 0) as working_days_used
    from recent
    left join {{ source('control', 'working_day') }} as since
        on recent.received_on = since.calendar_day
    left join {{ source('control', 'working_day') }} as through
        on recent.measured_on = through.calendar_day
)

select
    source,
    complaint_key,
    business_date,
    category,
    channel,
    severity,
    is_complex,
    product_key,
    received_at,
    not is_resolved as is_open,
    {{ clock_state('is_answered', 'seconds_used', 'seconds_allowed') }} as response_state,
    {{ quotient('seconds_used', 3600, scale=2, type='decimal(18, 2)') }} as response_hours_used,
    {{ quotient(clock_left('is_answered', 'seconds_used', 'seconds_allowed'), 3600, scale=2, type='decimal(18, 2)') }}
        as response_hours_left,
    {{ clock_state('is_resolved', 'working_days_used', 'working_days_allowed') }} as resolution_state,
    working_days_used as resolution_working_days_used,
    {{ clock_left('is_resolved', 'working_days_used', 'working_days_allowed') }} as resolution_working_days_left,
    {{ clock_state('is_resolved', 'days_used', 'days_allowed') }} as statutory_state,
    days_allowed as statutory_days_allowed,
    days_used as statutory_days_used,
    {{ clock_left('is_resolved', 'days_used', 'days_allowed') }} as statutory_days_left,
    days_allowed_extended as statutory_extended_days_allowed,
    case
        when is_complex then {{ clock_state('is_resolved', 'days_used', 'days_allowed_extended') }}
    end as statutory_extended_state
from counted
