with history as (
    {{ landed_history(source('registry', 'role'), key='role_key') }}
)

select
    source,
    role_key,
    registration_key,
    person_national_id_token,
    role,
    share,
    since,
    until,
    valid_from,
    valid_to
from history
