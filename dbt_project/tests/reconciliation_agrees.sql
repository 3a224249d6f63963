-- Nothing is lost or added between delivery and mart.
select *
from {{ ref('reconciliation') }}
where status <> 'agreed'
