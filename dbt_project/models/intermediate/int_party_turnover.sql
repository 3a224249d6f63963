-- The last six 30-day periods of what a merchant sold; period 0 ends on the business date.
with sales as (
    select
        stall.party_id,
        stall.business_date,
        {{ integer_divide(days_between('stall_day.trade_date', 'stall.business_date'), 30) }} as period,
        stall_day.turnover
    from {{ ref('int_stall_party') }} as stall
    inner join {{ ref('int_stall_day') }} as stall_day
        on
            stall.source = stall_day.source
            and stall.lease_key = stall_day.lease_key
            and stall.business_date >= stall_day.business_date
            and stall.business_date >= stall_day.trade_date
            and {{ add_days('stall.business_date', -180) }} < stall_day.trade_date
),

periods as (
    select
        party_id,
        business_date,
        period,
        {{ integer_divide('period', 3) }} as half,
        cast(sum(turnover) as decimal(18, 2)) as turnover
    from sales
    group by party_id, business_date, period
),

totals as (
    select
        party_id,
        business_date,
        cast(sum(turnover) as decimal(18, 2)) as turnover,
        cast(coalesce(sum(turnover) filter (where half = 0), 0) as decimal(18, 2)) as turnover_90d,
        cast(coalesce(sum(turnover) filter (where half = 1), 0) as decimal(18, 2)) as turnover_90d_before,
        cast(sum(cast(turnover as decimal(19, 2)) * cast(turnover as decimal(19, 2))) as decimal(36, 4)) as squares
    from periods
    group by party_id, business_date
),

-- A stall that was leased, or a market that delivered, for less than the six periods has no rhythm yet.
observed as (
    select
        stall.party_id,
        stall.business_date,
        min(stall.leased_from) as first_leased_on,
        max(delivery.days_delivered_365d) as days_delivered
    from {{ ref('int_stall_party') }} as stall
    inner join {{ ref('int_source_delivery') }} as delivery
        on
            stall.business_date = delivery.business_date
            and stall.source = delivery.source
            and delivery.contract = 'market.daily_turnover'
    group by stall.party_id, stall.business_date
)

select
    totals.party_id,
    totals.business_date,
    totals.turnover as turnover_180d,
    {{ variation('totals.turnover', 'totals.squares', 6) }} as turnover_variation_180d,
    {{ capped_quotient('totals.turnover_90d', 'totals.turnover_90d_before') }} as turnover_trend_180d
from totals
inner join observed
    on totals.party_id = observed.party_id and totals.business_date = observed.business_date
where
    observed.days_delivered >= 180
    and {{ days_between('observed.first_leased_on', 'totals.business_date') }} >= 180
