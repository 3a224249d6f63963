{% set month = "cast(date_trunc('month', as_of.business_date) as date)" %}

with observed as (
    select
        business_date,
        business_date as observed_on
    from {{ ref('int_as_of_date') }}
    union
    select
        as_of.business_date,
        {{ add_days(add_months("cast(date_trunc('month', landed.business_date) as date)", 1), -1) }} as observed_on
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ source('control', 'business_date') }} as landed
        on
            {{ month }} > landed.business_date
            and {{ add_months(month, '-' ~ policy('consent.trend_months')) }} <= landed.business_date
),

points as (
    select
        business_date,
        observed_on,
        observed_on as counted_on
    from observed
    union all
    select
        business_date,
        observed_on,
        {{ add_days('observed_on', '-' ~ policy('consent.change_days')) }} as counted_on
    from observed
),

tallies as (
    select
        points.business_date,
        points.observed_on,
        moves.purpose,
        moves.data_class,
        moves.partner,
        sum(moves.asked) filter (where points.counted_on = points.observed_on) as asked,
        sum(moves.given) filter (where points.counted_on = points.observed_on) as given,
        sum(moves.asked) filter (where points.counted_on < points.observed_on) as asked_before,
        sum(moves.given) filter (where points.counted_on < points.observed_on) as given_before
    from points
    inner join {{ ref('int_consent_move') }} as moves
        on points.business_date = moves.business_date and points.counted_on >= moves.moved_on
    group by points.business_date, points.observed_on, moves.purpose, moves.data_class, moves.partner
),

-- Neither who gave nor who did not may be so few that a rate tells of them.
shown as (
    select
        *,
        least(given, asked - given) >= {{ policy('consent.min_group') }} as is_shown,
        least(given_before, asked_before - given_before) >= {{ policy('consent.min_group') }} as is_shown_before
    from tallies
),

rates as (
    select
        business_date,
        observed_on,
        purpose,
        data_class,
        partner,
        cast(asked as bigint) as parties_asked,
        case when is_shown then cast(given as bigint) end as parties_given,
        case when is_shown then {{ quotient('given', 'asked', scale=4, type='decimal(9, 4)') }} end as given_share,
        case
            when is_shown_before then {{ quotient('given_before', 'asked_before', scale=4, type='decimal(9, 4)') }}
        end as given_share_before
    from shown
    where asked >= {{ policy('consent.min_group') }}
)

select
    business_date,
    observed_on,
    purpose,
    data_class,
    partner,
    parties_asked,
    parties_given,
    given_share,
    cast(given_share - given_share_before as decimal(9, 4)) as given_share_change
from rates
