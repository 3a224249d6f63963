{% set late_loan = policy('classification.substandard_days') %}
{% set late_card = policy('classification.card_substandard_days') %}

with debts as (
    select
        debtor.party_id,
        debtor.business_date,
        debtor.is_non_retail,
        facility.days_past_due,
        facility.outstanding_amount,
        coalesce(
            facility.days_past_due
            > case when facility.facility_kind = 'card' then {{ late_card }} else {{ late_loan }} end, false
        ) as is_late,
        judicial.judicial_open_enforcements as open_enforcements,
        judicial.judicial_dishonest_entries as dishonest_entries,
        coalesce(
            judicial.judicial_open_enforcements >= {{ policy('classification.impairing_enforcements') }}
            or judicial.judicial_dishonest_entries >= {{ policy('classification.impairing_dishonest_entries') }}, false
        ) as is_impaired,
        bureau.bureau_worst_days_past_due_24m > {{ late_loan }} as is_past_due_in_bureau,
        bureau.bureau_loan_balance + bureau.bureau_card_balance as bureau_debt
    from {{ ref('int_facility_debtor') }} as debtor
    inner join {{ ref('int_as_of_date') }} as as_of
        on debtor.business_date = as_of.business_date
    inner join {{ ref('int_facility') }} as facility
        on
            debtor.business_date = facility.business_date
            and debtor.facility_kind = facility.facility_kind
            and debtor.facility_key = facility.facility_key
    left join {{ ref('int_party_judicial') }} as judicial
        on debtor.party_id = judicial.party_id and debtor.business_date = judicial.business_date
    left join {{ ref('int_party_bureau') }} as bureau
        on debtor.party_id = bureau.party_id and debtor.business_date = bureau.business_date
),

totals as (
    select
        party_id,
        business_date,
        is_non_retail,
        open_enforcements,
        dishonest_entries,
        is_past_due_in_bureau,
        bureau_debt,
        count(*) as facilities,
        count(*) - count(days_past_due) as facilities_unknown,
        count(*) filter (where is_late or is_impaired) as non_performing,
        count(*) filter (where (is_late or is_impaired) and outstanding_amount is null) as non_performing_unknown,
        cast(coalesce(sum(outstanding_amount), 0) as decimal(18, 2)) as owed_amount,
        cast(coalesce(sum(outstanding_amount) filter (where is_late or is_impaired), 0) as decimal(18, 2))
            as non_performing_amount,
        count(*) filter (where is_late) as late,
        cast(coalesce(sum(outstanding_amount) filter (where is_late), 0) as decimal(18, 2)) as late_amount
    from debts
    group by
        party_id, business_date, is_non_retail, open_enforcements, dishonest_entries, is_past_due_in_bureau, bureau_debt
)

select
    party_id,
    business_date,
    is_non_retail,
    cast(facilities as bigint) as facilities,
    open_enforcements,
    dishonest_entries,
    owed_amount,
    non_performing_amount,
    late_amount,
    bureau_debt,
    case
        when non_performing > 0 then true
        when facilities_unknown = 0 then false
    end as has_non_performing,
    -- What is owed is not known of every loan: then what is known decides, and a debt of unknown size exceeds.
    case
        when
            non_performing > 0
            and (
                non_performing_unknown > 0
                or owed_amount = 0
                or non_performing_amount > {{ policy('classification.cross_default_share') }} * owed_amount
            )
            then true
        when facilities_unknown = 0 then false
    end as is_cross_default,
    -- The bureau names no overdue debt by bank: what is late here is the least that can be late anywhere.
    case
        when
            late_amount
            > {{ policy('classification.all_banks_share') }} * greatest(owed_amount, bureau_debt)
            and bureau_debt is not null
            then true
        when late = 0 and not is_past_due_in_bureau then false
    end as is_late_at_all_banks,
    is_past_due_in_bureau
from totals
