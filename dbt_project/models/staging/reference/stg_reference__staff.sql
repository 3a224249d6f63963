with history as (
    {{ landed_history(source('reference', 'staff'), key='staff_key') }}
)

select
    source,
    staff_key,
    role,
    branch_key,
    district_key,
    hired_on,
    left_on,
    valid_from,
    valid_to
from history
