{% set high, low = policy('segment.rfm_high'), policy('segment.rfm_low') %}

with customers as (
    select
        *,
        coalesce(aum, balance, 0) as assets,
        days_since_booking is not null as has_booked
    from {{ ref('customer_360') }}
),

-- Who has no booking has no place in the order of bookings, and is none of those who are ordered.
parties as (
    select
        *,
        case when has_booked then cast(ntile(5) over (
            partition by business_date, has_booked
            order by days_since_booking desc nulls last, party_id asc nulls last
        ) as bigint) end as rfm_recency,
        case when has_booked then cast(ntile(5) over (
            partition by business_date, has_booked
            order by credit_count_90d + debit_count_90d asc nulls last, party_id asc nulls last
        ) as bigint) end as rfm_frequency,
        case when has_booked then cast(ntile(5) over (
            partition by business_date, has_booked
            order by credit_amount_365d + debit_amount_365d asc nulls last, party_id asc nulls last
        ) as bigint) end as rfm_monetary
    from customers
)

select
    parties.party_id,
    parties.business_date,
    case
        when parties.party_kind <> 'person' then null
        when parties.assets >= {{ policy('segment.hnw_assets') }} then 'hnw'
        when parties.assets >= {{ policy('segment.affluent_assets') }} then 'affluent'
        when
            parties.assets < {{ policy('segment.young_inclusive_assets') }}
            and parties.age_years <= {{ policy('segment.young_inclusive_age') }}
            then 'young_inclusive'
        else 'mass'
    end as asset_tier,
    parties.lifecycle_stage,
    parties.rfm_recency,
    parties.rfm_frequency,
    parties.rfm_monetary,
    case
        when not parties.has_booked then null
        when parties.rfm_recency <= {{ low }}
            then case
                when parties.rfm_frequency >= {{ high }} or parties.rfm_monetary >= {{ high }} then 'at_risk'
                else 'lapsing'
            end
        when parties.rfm_recency < {{ high }} then 'steady'
        when parties.rfm_frequency >= {{ high }} and parties.rfm_monetary >= {{ high }} then 'champion'
        else 'promising'
    end as rfm_group,
    case
        when parties.party_kind <> 'person' then null
        when parties.is_merchant then 'merchant'
        when parties.occupation = 'student' then 'student'
        when parties.occupation = 'retired' then 'retiree'
        when parties.age_years >= {{ policy('segment.retirement_age') }} then 'retiree'
        when parties.occupation = 'self_employed' then 'self_employed'
        when parties.income_amount_90d > 0 then 'payroll'
    end as social_role,
    case
        when parties.party_kind = 'organisation'
            then
                parties.invoice_buyers_365d >= {{ policy('segment.core_min_buyers') }}
                and parties.invoiced_90d >= {{ policy('segment.core_min_invoiced') }}
                and parties.invoice_top_buyer_share_365d <= {{ policy('segment.core_max_top_buyer_share') }}
    end as is_core_enterprise,
    case when parties.party_kind = 'organisation' then parties.is_srdi end as is_srdi,
    case
        when parties.party_kind <> 'organisation' then null
        when parties.tax_revenue_365d >= {{ policy('segment.large_min_revenue') }} then 'large'
        when parties.tax_revenue_365d >= {{ policy('segment.medium_min_revenue') }} then 'medium'
        when parties.tax_revenue_365d >= {{ policy('segment.small_min_revenue') }} then 'small'
        when parties.tax_revenue_365d is not null then 'micro'
    end as enterprise_size
from parties
