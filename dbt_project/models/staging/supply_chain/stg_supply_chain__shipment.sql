{{ config(materialized='view') }}

select
    source,
    shipment_key,
    invoice_key,
    shipped_on,
    arrived_on,
    quantity,
    business_date
from {{ source('supply_chain', 'shipment') }}
where _change = 'upsert' and business_date <= {{ run_to() }}
