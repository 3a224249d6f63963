{% set rules = classification_rules() %}
{% set unknown = classification_unknowns() %}

-- Of several debtors of one facility each may be the reason; a person is none by other debts.
with debtors as (
    select
        debtor.business_date,
        debtor.facility_kind,
        debtor.facility_key,
        {% for flag in ['is_cross_default', 'is_late_at_all_banks', 'has_non_performing', 'is_past_due_in_bureau'] -%}
            case
                when max(case when debtor.is_non_retail and exposure.{{ flag }} then 1 else 0 end) = 1 then true
                when
                    count(*) filter (where debtor.is_non_retail)
                    = count(exposure.{{ flag }}) filter (where debtor.is_non_retail)
                    then false
            end as {{ flag }},
        {% endfor -%}
        {% for figure in ['open_enforcements', 'dishonest_entries'] -%}
            case when count(*) = count(exposure.{{ figure }}) then max(exposure.{{ figure }}) end as {{ figure }},
        {% endfor -%}
        min(debtor.party_id) filter (where debtor.debtor_no = 1) as party_id,
        max(case when debtor.is_non_retail then 1 else 0 end) = 1 as is_non_retail
    from {{ ref('int_facility_debtor') }} as debtor
    inner join {{ ref('int_party_exposure') }} as exposure
        on debtor.party_id = exposure.party_id and debtor.business_date = exposure.business_date
    group by debtor.business_date, debtor.facility_kind, debtor.facility_key
),

known as (
    select
        facility.business_date,
        facility.facility_kind,
        facility.facility_key,
        facility.days_past_due,
        facility.outstanding_amount,
        facility.amount_basis,
        debtors.party_id,
        debtors.is_non_retail,
        debtors.open_enforcements,
        debtors.dishonest_entries,
        debtors.is_cross_default,
        debtors.is_late_at_all_banks,
        debtors.has_non_performing,
        debtors.is_past_due_in_bureau
    from {{ ref('int_facility') }} as facility
    inner join debtors
        on
            facility.business_date = debtors.business_date
            and facility.facility_kind = debtors.facility_kind
            and facility.facility_key = debtors.facility_key
),

fired as (
    select
        {% for rule, (_, _, _, fires) in rules.items() -%}
            coalesce({{ fires }}, false) as fires_{{ rule }},
        {% endfor -%}
        {% for rule, is_unknown in unknown.items() -%}
            {{ is_unknown }} as unknown_{{ rule }},
        {% endfor -%}
        *
    from known
),

levels as (
    select
        *,
        case when days_past_due is not null then {{ gravest(['overdue']) }} end as overdue_level,
        {{ gravest(['impairment']) }} as impairment_level,
        {{ gravest(['cross_default']) }} as cross_default_level
    from fired
)

select
    business_date,
    facility_kind,
    facility_key,
    party_id,
    case
        when facility_kind = 'card' then 'card'
        when is_non_retail then 'non_retail'
        else 'retail'
    end as segment,
    days_past_due,
    outstanding_amount,
    amount_basis,
    case
        when overdue_level is not null then greatest(overdue_level, impairment_level, cross_default_level)
    end as class_level,
    {{ class_of('overdue_level') }} as overdue_class,
    {{ class_of('impairment_level') }} as impairment_class,
    case when is_non_retail then {{ class_of('cross_default_level') }} end as cross_default_class,
    concat_ws(
        ';',
        {% for rule, (_, _, article, _) in rules.items() -%}
            case when fires_{{ rule }} then '{{ rule }}:{{ article }}' end{{ ',' if not loop.last }}
        {% endfor -%}
    ) as rules,
    {% set by_class = namespace(rules=[]) -%}
    {% for name in classes() | reverse -%}
        {% for rule, (_, class, article, _) in rules.items() if class == name -%}
            {% do by_class.rules.append((rule, article)) -%}
        {% endfor -%}
    {% endfor -%}
    {% for column, place in {'gravest_rule': 0, 'gravest_article': 1}.items() -%}
        case
            {% for rule in by_class.rules -%}
                when fires_{{ rule[0] }} then '{{ rule[place] }}'
            {% endfor -%}
        end as {{ column }},
    {% endfor -%}
    concat_ws(
        ';',
        {% for rule in unknown -%}
            case when unknown_{{ rule }} then '{{ rule }}' end{{ ',' if not loop.last }}
        {% endfor -%}
    ) as rules_not_evaluable
from levels
