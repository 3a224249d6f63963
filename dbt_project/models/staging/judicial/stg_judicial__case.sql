with history as (
    {{ landed_history(source('judicial', 'case'), key='case_key') }}
)

select
    source,
    case_key,
    case_type,
    defendant_national_id_token,
    defendant_uscc_token,
    filed_on,
    closed_on,
    amount,
    valid_from,
    valid_to
from history
