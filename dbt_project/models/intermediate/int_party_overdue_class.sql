-- The five categories by days past due alone, which the bank knows itself: the ladder of int_facility_classification
-- without impairment and cross default, which rest on courts, the bureau and registers.
with known as (
    select
        debtor.party_id,
        debtor.business_date,
        facility.facility_kind,
        facility.days_past_due
    from {{ ref('int_facility_debtor') }} as debtor
    inner join {{ ref('int_facility') }} as facility
        on
            debtor.business_date = facility.business_date
            and debtor.facility_kind = facility.facility_kind
            and debtor.facility_key = facility.facility_key
),

fired as (
    select
        {% for rule, (ground, _, _, fires) in classification_rules().items() if ground == 'overdue' -%}
            coalesce({{ fires }}, false) as fires_{{ rule }},
        {% endfor -%}
        *
    from known
),

worst as (
    select
        party_id,
        business_date,
        count(*) as facilities,
        count(days_past_due) as facilities_evaluable,
        max(case when days_past_due is not null then {{ gravest(['overdue']) }} end) as class_level
    from fired
    group by party_id, business_date
)

select
    party_id,
    business_date,
    cast(facilities as bigint) as facilities,
    facilities_evaluable = facilities as is_evaluable,
    {{ class_of('class_level') }} as worst_class
from worst
