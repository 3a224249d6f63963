with history as (
    {{ landed_history(source('loan', 'guarantee'), key='guarantee_key') }}
)

select
    source,
    guarantee_key,
    loan_key,
    guarantor_national_id_token,
    guarantor_uscc_token,
    guaranteed_amount,
    signed_on,
    valid_from,
    valid_to
from history
