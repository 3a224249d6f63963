with history as (
    {{ landed_history(source('registry', 'company'), key='registration_key') }}
)

select
    source,
    registration_key,
    uscc_token,
    industry_code,
    registered_capital,
    employees,
    founded_on,
    status,
    is_srdi,
    district_key,
    valid_from,
    valid_to
from history
