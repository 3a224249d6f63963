-- Period 0 against the periods before it: the party's own net flow, and how its outflow changed against its peers'.
{% set party = ['party_id', 'business_date'] %}
{% set peers = ['party_kind', 'business_date'] %}

with before as (
    select
        party_id,
        business_date,
        net_amount,
        debit_amount
    from {{ ref('int_party_flow_period') }}
    where period > 0
),

net_median as (
    {{ twice_median('before', 'net_amount', party) }}
),

net_deviation as (
    select
        before.party_id,
        before.business_date,
        abs(2 * before.net_amount - net_median.twice_median) as deviation
    from before
    inner join net_median
        on before.party_id = net_median.party_id and before.business_date = net_median.business_date
),

net_spread as (
    {{ twice_median('net_deviation', 'deviation', party) }}
),

debit_median as (
    {{ twice_median('before', 'debit_amount', party) }}
),

latest as (
    select
        latest.party_id,
        latest.business_date,
        party.party_kind,
        case
            when net_median.observations >= {{ policy('early_warning.min_periods') }}
                then {{ robust_z('2 * latest.net_amount - net_median.twice_median', 'net_spread.twice_median') }}
        end as flow_z,
        case
            when
                net_median.observations >= {{ policy('early_warning.min_periods') }}
                and debit_median.twice_median >= 2 * {{ policy('early_warning.min_outflow') }}
                then cast(
                    least(round(
                        cast(latest.debit_amount as double) * 2
                        / cast(nullif(debit_median.twice_median, 0) as double), 4
                    ), 99999) as decimal(9, 4)
                )
        end as outflow_ratio
    from {{ ref('int_party_flow_period') }} as latest
    inner join {{ ref('int_party') }} as party
        on latest.party_id = party.party_id and latest.business_date = party.business_date
    inner join net_median
        on latest.party_id = net_median.party_id and latest.business_date = net_median.business_date
    inner join net_spread
        on latest.party_id = net_spread.party_id and latest.business_date = net_spread.business_date
    inner join debit_median
        on latest.party_id = debit_median.party_id and latest.business_date = debit_median.business_date
    where latest.period = 0
),

ratios as (
    select * from latest
    where outflow_ratio is not null
),

ratio_median as (
    {{ twice_median('ratios', 'outflow_ratio', peers) }}
),

ratio_deviation as (
    select
        ratios.party_kind,
        ratios.business_date,
        abs(2 * ratios.outflow_ratio - ratio_median.twice_median) as deviation
    from ratios
    inner join ratio_median
        on ratios.party_kind = ratio_median.party_kind and ratios.business_date = ratio_median.business_date
),

ratio_spread as (
    {{ twice_median('ratio_deviation', 'deviation', peers) }}
)

select
    latest.party_id,
    latest.business_date,
    latest.flow_z,
    case
        when ratio_median.observations >= {{ policy('early_warning.min_peers') }}
            then {{ robust_z('2 * latest.outflow_ratio - ratio_median.twice_median', 'ratio_spread.twice_median') }}
    end as outflow_z
from latest
left join ratio_median
    on latest.party_kind = ratio_median.party_kind and latest.business_date = ratio_median.business_date
left join ratio_spread
    on latest.party_kind = ratio_spread.party_kind and latest.business_date = ratio_spread.business_date
