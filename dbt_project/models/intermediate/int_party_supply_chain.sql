with invoices as (
    select
        record.party_id,
        record.business_date,
        invoice.source,
        invoice.invoice_key,
        invoice.buyer_uscc_token,
        invoice.amount,
        {{ days_between('invoice.issued_on', 'record.business_date') }} as days_ago,
        invoice.due_on < record.business_date
        and coalesce(invoice.paid_on > record.business_date, true) as is_overdue
    from {{ ref('int_shared_record') }} as record
    inner join {{ ref('stg_supply_chain__invoice') }} as invoice
        on
            record.source = invoice.source
            and record.record_key = invoice.seller_uscc_token
            and record.business_date >= invoice.valid_from
            and record.business_date < invoice.valid_to
            and record.business_date >= invoice.issued_on
    where record.contract = 'supply_chain.invoice' and record.role = 'seller'
),

platforms as (
    select
        party_id,
        business_date,
        source
    from invoices
    where days_ago < 365
),

delivered as (
    {{ sources_delivered('platforms', 'supply_chain.invoice', 365) }}
),

buyers as (
    select
        party_id,
        business_date,
        buyer_uscc_token,
        cast(sum(amount) as decimal(18, 2)) as amount,
        cast(sum(amount) filter (where days_ago < 90) as decimal(18, 2)) as amount_90d,
        cast(sum(amount) filter (where is_overdue) as decimal(18, 2)) as amount_overdue
    from invoices
    where days_ago < 365
    group by party_id, business_date, buyer_uscc_token
),

totals as (
    select
        party_id,
        business_date,
        count(*) as buyers,
        cast(sum(amount) as decimal(18, 2)) as amount,
        cast(max(amount) as decimal(18, 2)) as amount_of_top_buyer,
        cast(coalesce(sum(amount_90d), 0) as decimal(18, 2)) as amount_90d,
        cast(coalesce(sum(amount_overdue), 0) as decimal(18, 2)) as amount_overdue
    from buyers
    group by party_id, business_date
),

shipments as (
    select
        invoices.party_id,
        invoices.business_date,
        count(*) as shipments
    from invoices
    inner join {{ ref('stg_supply_chain__shipment') }} as shipment
        on
            invoices.source = shipment.source
            and invoices.invoice_key = shipment.invoice_key
            and invoices.business_date >= shipment.business_date
            and invoices.business_date >= shipment.arrived_on
            and {{ add_days('invoices.business_date', -90) }} < shipment.arrived_on
    group by invoices.party_id, invoices.business_date
),

shipments_known as (
    select distinct business_date
    from {{ ref('int_source_delivery') }}
    where contract = 'supply_chain.shipment'
)

select
    totals.party_id,
    totals.business_date,
    totals.amount_90d as invoiced_90d,
    cast(totals.buyers as bigint) as invoice_buyers_365d,
    {{ quotient('totals.amount_of_top_buyer', 'totals.amount', scale=4, type='decimal(9, 4)') }}
        as invoice_top_buyer_share_365d,
    {{ quotient('totals.amount_overdue', 'totals.amount', scale=4, type='decimal(9, 4)') }}
        as overdue_invoice_share_365d,
    case when shipments_known.business_date is not null then cast(coalesce(shipments.shipments, 0) as bigint) end
        as shipments_90d,
    {{ quotient('delivered.days_delivered', '(365 * delivered.sources)', scale=4, type='decimal(9, 4)') }}
        as supply_chain_completeness
from totals
inner join delivered
    on totals.party_id = delivered.party_id and totals.business_date = delivered.business_date
left join shipments
    on totals.party_id = shipments.party_id and totals.business_date = shipments.business_date
left join shipments_known
    on totals.business_date = shipments_known.business_date
