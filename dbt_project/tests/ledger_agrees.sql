-- What the general ledger has and the lake has not is in quarantine.
{{ config(severity='warn') }}

select *
from {{ ref('int_ledger_control') }}
where status = 'broken' and business_date between {{ run_from() }} and {{ run_to() }}
