{% set high, low = policy('segment.rfm_high'), policy('segment.rfm_low') %}

with parties as (
    select
        customer.*,
        coalesce(customer.aum, customer.balance, 0) as assets
    from {{ ref('customer_360') }} as customer
),

-- Who has no booking has no place in the order of bookings.
quintiles as (
    select
        party_id,
        business_date,
        cast(ntile(5) over (
            partition by business_date
            order by days_since_booking desc nulls last, party_id asc nulls last
        ) as bigint) as rfm_recency,
        cast(ntile(5) over (
            partition by business_date
            order by credit_count_90d + debit_count_90d asc nulls last, party_id asc nulls last
        ) as bigint) as rfm_frequency,
        cast(ntile(5) over (
            partition by business_date
            order by credit_amount_365d + debit_amount_365d asc nulls last, party_id asc nulls last
        ) as bigint) as rfm_monetary
    from parties
    where days_since_booking is not null
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
    quintiles.rfm_recency,
    quintiles.rfm_frequency,
    quintiles.rfm_monetary,
    case
        when quintiles.party_id is null then null
        when quintiles.rfm_recency <= {{ low }}
            then case
                when quintiles.rfm_frequency >= {{ high }} or quintiles.rfm_monetary >= {{ high }} then 'at_risk'
                else 'lapsing'
            end
        when quintiles.rfm_recency < {{ high }} then 'steady'
        when quintiles.rfm_frequency >= {{ high }} and quintiles.rfm_monetary >= {{ high }} then 'champion'
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
left join quintiles
    on
        parties.party_id = quintiles.party_id
        and parties.business_date = quintiles.business_date
