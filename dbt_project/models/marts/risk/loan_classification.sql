select
    party_id,
    business_date,
    facility_kind,
    facility_key,
    segment,
    days_past_due,
    outstanding_amount,
    amount_basis,
    {{ class_of('class_level') }} as risk_class,
    overdue_class,
    impairment_class,
    cross_default_class,
    case when class_level is not null then gravest_rule end as deciding_rule,
    case when class_level is not null then gravest_article end as deciding_article,
    case when rules <> '' then rules end as rules,
    case when rules_not_evaluable <> '' then rules_not_evaluable end as rules_not_evaluable
from {{ ref('int_facility_classification') }}
