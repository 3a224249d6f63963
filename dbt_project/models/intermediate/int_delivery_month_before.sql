{{ config(materialized='view') }}

-- A month with fewer days has one such date for several as-of dates, which may differ in what came only after it.
select
    business_date,
    contract,
    min(first_row_on) as first_row_on
from (
    select
        {{ add_months('business_date', -1) }} as business_date,
        contract,
        case when first_row_on <= {{ add_months('business_date', -1) }} then first_row_on end as first_row_on
    from {{ ref('int_delivery_as_of') }}
) as months_before
group by business_date, contract
