with contacted as (
    select distinct
        cell.business_date,
        cell.cell_kind,
        cell.cell,
        cell.source,
        cell.complaint_key,
        contact.campaign_key
    from {{ ref('int_complaint_cell') }} as cell
    inner join {{ ref('int_crm_party') }} as customer
        on
            cell.party_id = customer.party_id
            and cell.business_date = customer.business_date
    inner join {{ ref('stg_crm__contact') }} as contact
        on
            customer.customer_key = contact.customer_key
            and cell.business_date >= contact.business_date
            and cell.received_on >= contact.event_date
    where
        cell.is_recent
        and contact.event = 'contacted'
        and {{ days_between('contact.event_date', 'cell.received_on') }} <= {{ policy('complaint.link_days') }}
),

campaigns as (
    select
        contacted.business_date,
        contacted.cell_kind,
        contacted.cell,
        contacted.campaign_key,
        max(campaign.starts_on) as campaign_starts_on,
        count(distinct contacted.source || '|' || contacted.complaint_key) as campaign_complaints
    from contacted
    left join {{ ref('stg_crm__campaign') }} as campaign
        on
            contacted.campaign_key = campaign.campaign_key
            and contacted.business_date >= campaign.valid_from
            and contacted.business_date < campaign.valid_to
    group by contacted.business_date, contacted.cell_kind, contacted.cell, contacted.campaign_key
),

ordered as (
    select
        *,
        row_number() over (
            partition by business_date, cell_kind, cell
            order by
                campaign_complaints desc nulls last, campaign_starts_on desc nulls last, campaign_key asc nulls last
        ) as place
    from campaigns
    where campaign_complaints >= {{ policy('complaint.min_linked') }}
)

select
    business_date,
    cell_kind,
    cell,
    campaign_key,
    campaign_starts_on,
    campaign_complaints
from ordered
where place = 1
