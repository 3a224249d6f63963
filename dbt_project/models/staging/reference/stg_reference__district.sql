with history as (
    {{ landed_history(source('reference', 'district'), key='district_key') }}
)

select
    source,
    district_key,
    district_name,
    region,
    inhabitants,
    average_salary,
    unemployment_rate,
    valid_from,
    valid_to
from history
