select
    party_id,
    business_date,
    direction,
    sales_365d,
    customers_365d,
    customer_hhi_365d,
    top_customer_share_365d,
    purchases_365d,
    suppliers_365d,
    supplier_hhi_365d,
    top_supplier_share_365d
from {{ source('relation', 'supply_chain_position') }}
