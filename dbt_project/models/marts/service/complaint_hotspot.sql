-- Complaints of before the first that was ever delivered are not known: without all 120 days nothing is compared.
with delivered as (
    select
        as_of.business_date,
        {{ days_between('min(cast(complaint.received_at as date))', 'as_of.business_date') }} + 1 - 30 >= 90
            as is_evaluable
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ ref('stg_service__complaint') }} as complaint
        on as_of.business_date >= complaint.valid_from
    group by as_of.business_date
),

cells as (
    select
        business_date,
        cell_kind,
        cell,
        max(product_key) as product_key,
        count(*) filter (where is_recent) as recent,
        count(*) filter (where not is_recent) as earlier,
        count(*) as in_all
    from {{ ref('int_complaint_cell') }}
    group by business_date, cell_kind, cell
),

limits as (
    select
        cells.*,
        delivered.is_evaluable,
        {{ wilson_end('cells.recent', 'cells.in_all', policy('complaint.confidence_z'), -1) }} as share_low,
        {{ wilson_end('cells.recent', 'cells.in_all', policy('complaint.confidence_z'), 1) }} as share_high
    from cells
    inner join delivered
        on cells.business_date = delivered.business_date
    where cells.in_all >= {{ policy('complaint.min_cell') }}
),

-- From the share of the later window to the ratio of the rates: odds, times 90 days over 30.
rates as (
    select
        business_date,
        cell_kind,
        cell,
        product_key,
        recent,
        earlier,
        is_evaluable,
        case when is_evaluable then {{ quotient('recent * 90', 'earlier * 30', scale=4, type='decimal(18, 4)') }} end
            as rate_ratio,
        case
            when is_evaluable
                then cast(round(greatest(share_low / (1 - share_low), 0) * 90 / 30, 4) as decimal(18, 4))
        end as rate_ratio_low,
        case
            when is_evaluable and earlier > 0
                then cast(round(share_high / (1 - share_high) * 90 / 30, 4) as decimal(18, 4))
        end as rate_ratio_high
    from limits
)

select
    rates.business_date,
    rates.cell_kind,
    rates.cell,
    rates.recent as complaints_30d,
    rates.earlier as complaints_before_90d,
    rates.rate_ratio,
    rates.rate_ratio_low,
    rates.rate_ratio_high,
    case
        when rates.is_evaluable
            then
                rates.rate_ratio_low > {{ policy('complaint.min_rate_ratio') }}
                and rates.recent >= {{ policy('complaint.min_complaints') }}
    end as is_hot,
    product.product_changed_on,
    campaign.campaign_key,
    campaign.campaign_starts_on,
    campaign.campaign_complaints
from rates
left join {{ ref('int_product_change') }} as product
    on
        rates.business_date = product.business_date
        and rates.product_key = product.product_key
left join {{ ref('int_complaint_campaign') }} as campaign
    on
        rates.business_date = campaign.business_date
        and rates.cell_kind = campaign.cell_kind
        and rates.cell = campaign.cell
