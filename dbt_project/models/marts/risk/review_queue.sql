with cases as (
    select
        decision.party_id,
        decision.business_date,
        decision.case_key,
        decision.occasion,
        decision.opened_on,
        decision.reasons,
        reviewer.reviewer_key,
        reviewer.reviewer_role,
        coalesce(reviewer.assigned_by, 'nobody') as assigned_by,
        {{ add_days('decision.opened_on', 'floor(' ~ policy('admission.review_days') ~ ')') }} as due_on
    from {{ ref('admission_decision') }} as decision
    left join {{ ref('int_admission_reviewer') }} as reviewer
        on decision.party_id = reviewer.party_id and decision.business_date = reviewer.business_date
    where decision.decision = 'review'
)

select
    party_id,
    business_date,
    case_key,
    occasion,
    opened_on,
    reasons,
    reviewer_key,
    reviewer_role,
    assigned_by,
    due_on,
    due_on < business_date as is_overdue
from cases
