{{ config(materialized='view') }}

select
    as_of.business_date,
    crosswalk.contract,
    crosswalk.source,
    crosswalk.record_key,
    crosswalk.role,
    crosswalk.party_id,
    crosswalk.founded_on
from {{ ref('int_as_of_date') }} as as_of
inner join {{ source('identity', 'party_crosswalk') }} as crosswalk
    on as_of.business_date >= crosswalk.founded_on
