with leases as (
    select
        party_id,
        business_date,
        cast(count(distinct case when is_running then source || ' ' || stall_no end) as bigint) as stalls_leased,
        min(case when leased_from <= business_date then leased_from end) as first_leased_on,
        cast(sum(monthly_rent) filter (where is_running) as decimal(18, 2)) as monthly_rent
    from {{ ref('int_stall_party') }}
    group by party_id, business_date
),

markets as (
    select
        party_id,
        business_date,
        source
    from {{ ref('int_stall_party') }}
    where ran_in_90d
),

delivered as (
    {{ sources_delivered('markets', 'market.daily_turnover', 90) }}
),

sales as (
    select
        stall.party_id,
        stall.business_date,
        stall_day.trade_date,
        {{ integer_divide(days_between('stall_day.trade_date', 'stall.business_date'), 30) }} as period,
        stall_day.turnover,
        stall_day.refunds
    from {{ ref('int_stall_party') }} as stall
    inner join {{ ref('int_stall_day') }} as stall_day
        on
            stall.source = stall_day.source
            and stall.lease_key = stall_day.lease_key
            and stall.business_date >= stall_day.business_date
            and stall.business_date >= stall_day.trade_date
            and {{ add_days('stall.business_date', -90) }} < stall_day.trade_date
    where stall.ran_in_90d
),

turnover as (
    select
        party_id,
        business_date,
        cast(coalesce(sum(turnover) filter (where period = 0), 0) as decimal(18, 2)) as turnover_30d,
        cast(coalesce(sum(turnover) filter (where period = 1), 0) as decimal(18, 2))
            as turnover_30d_before,
        cast(sum(turnover) as decimal(18, 2)) as turnover_90d,
        cast(sum(refunds) as decimal(18, 2)) as refunds_90d,
        count(distinct case when period = 0 and turnover > 0 then trade_date end) as trading_days_30d
    from sales
    group by party_id, business_date
),

-- Of whom no market may tell, it is not known that they have no stall either.
known as (
    select distinct
        party_id,
        business_date
    from {{ ref('int_sharing') }}
    where contract = 'market.stall_lease' and is_given
)

select
    party.party_id,
    party.business_date,
    coalesce(leases.stalls_leased, 0) > 0 as is_merchant,
    coalesce(leases.stalls_leased, 0) as stalls_leased,
    case when leases.stalls_leased > 0 then {{ days_between('leases.first_leased_on', 'party.business_date') }} end
        as lease_tenure_days,
    leases.monthly_rent,
    {% for measure in ['turnover_30d', 'turnover_90d'] -%}
        case when delivered.days_delivered > 0 then cast(coalesce(turnover.{{ measure }}, 0) as decimal(18, 2)) end
            as {{ measure }},
    {% endfor -%}
    -- The column holds no more; so far beyond any limit the difference says nothing.
    case
        when turnover.turnover_30d >= turnover.turnover_30d_before * 99999 and turnover.turnover_30d_before > 0
            then cast(99999.9999 as decimal(9, 4))
        else {{ quotient('turnover.turnover_30d', 'turnover.turnover_30d_before', scale=4, type='decimal(9, 4)') }}
    end as turnover_trend_90d,
    case when delivered.days_delivered > 0 then cast(coalesce(turnover.trading_days_30d, 0) as bigint) end
        as trading_days_30d,
    {{ quotient('turnover.refunds_90d', 'turnover.turnover_90d', scale=4, type='decimal(9, 4)') }} as refund_share_90d,
    case
        when delivered.days_delivered is null then cast(0 as decimal(9, 4))
        else {{ quotient('delivered.days_delivered', '(90 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
    end as market_completeness
from {{ ref('int_party') }} as party
left join known
    on party.party_id = known.party_id and party.business_date = known.business_date
left join leases
    on party.party_id = leases.party_id and party.business_date = leases.business_date
left join delivered
    on party.party_id = delivered.party_id and party.business_date = delivered.business_date
left join turnover
    on party.party_id = turnover.party_id and party.business_date = turnover.business_date
where ((party.has_uscc or party.has_phone) and known.party_id is not null) or leases.party_id is not null
