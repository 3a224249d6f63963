{{ config(materialized='view') }}

select distinct {{ add_months('business_date', -1) }} as business_date
from {{ ref('int_as_of_date') }}
