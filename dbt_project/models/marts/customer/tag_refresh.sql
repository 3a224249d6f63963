with periods as (
    select
        business_date,
        'daily' as refresh,
        business_date as period
    from {{ ref('int_as_of_date') }}
    union all
    select
        business_date,
        'weekly' as refresh,
        {{ monday_of('business_date') }} as period
    from {{ ref('int_as_of_date') }}
    union all
    select
        business_date,
        'monthly' as refresh,
        cast(date_trunc('month', business_date) as date) as period
    from {{ ref('int_as_of_date') }}
),

-- The evaluation before the run stands for every date of its own period.
earlier as (
    select
        refresh,
        valid_from,
        case refresh
            when 'daily' then valid_from
            when 'weekly' then {{ monday_of('valid_from') }}
            when 'monthly' then cast(date_trunc('month', valid_from) as date)
        end as period
    from {{ source('history', 'tag_refresh') }}
)

select
    periods.business_date,
    periods.refresh,
    coalesce(
        earlier.valid_from,
        min(periods.business_date) over (partition by periods.refresh, periods.period)
    ) as valid_from,
    cast(null as date) as valid_to
from periods
left join earlier
    on periods.refresh = earlier.refresh and periods.period = earlier.period
