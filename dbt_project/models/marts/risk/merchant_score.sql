{% set card = scorecards()['merchant'] %}

{{ scored(card, "party_type = 'merchant'") }}

select
    party_id,
    business_date,
    scorecard,
    score,
    reason_1,
    reason_2,
    reason_3,
    not_evaluable
from scored
