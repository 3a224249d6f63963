select business_date
from {{ source('control', 'business_date') }}
where (is_release_date or is_restated) and business_date <= {{ run_to() }}
