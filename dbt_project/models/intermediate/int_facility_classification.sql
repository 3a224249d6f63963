{% set rules = classification_rules() %}
{% set unknown = {
    'overdue': 'days_past_due is null',
    'impaired_dishonest_debtor': 'dishonest_entries is null',
    'impaired_enforcement': 'open_enforcements is null',
    'cross_default': 'is_non_retail and is_cross_default is null',
    'late_at_all_banks': 'is_non_retail and is_late_at_all_banks is null',
    'non_performing_here': 'is_non_retail and has_non_performing is null',
    'past_due_in_bureau': 'is_non_retail and is_past_due_in_bureau is null',
} %}

-- Of several debtors of one facility each may be the reason; who is no non-retail debtor gives none of those of Article 7.
with debtors as (
    select
        debtor.business_date,
        debtor.facility_kind,
        debtor.facility_key,
        min(debtor.party_id) filter (where debtor.debtor_no = 1) as party_id,
        count(*) as debtors,
        max(case when debtor.is_non_retail then 1 else 0 end) = 1 as is_non_retail,
        case when count(*) = count(exposure.open_enforcements) then max(exposure.open_enforcements) end
            as open_enforcements,
        case when count(*) = count(exposure.dishonest_entries) then max(exposure.dishonest_entries) end
            as dishonest_entries,
        {% for flag in ['is_cross_default', 'is_late_at_all_banks', 'has_non_performing', 'is_past_due_in_bureau'] -%}
            case
                when max(case when debtor.is_non_retail and exposure.{{ flag }} then 1 else 0 end) = 1 then true
                when
                    count(*) filter (where debtor.is_non_retail)
                    = count(exposure.{{ flag }}) filter (where debtor.is_non_retail)
                    then false
            end as {{ flag }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_facility_debtor') }} as debtor
    inner join {{ ref('int_party_exposure') }} as exposure
        on debtor.party_id = exposure.party_id and debtor.business_date = exposure.business_date
    group by debtor.business_date, debtor.facility_kind, debtor.facility_key
),

fired as (
    select
        facility.*,
        debtors.party_id,
        debtors.is_non_retail,
        {% for rule, (_, _, _, fires) in rules.items() -%}
            coalesce({{ fires }}, false) as fires_{{ rule }},
        {% endfor -%}
        {% for rule, is_unknown in unknown.items() -%}
            {{ is_unknown }} as unknown_{{ rule }}{{ ',' if not loop.last }}
        {% endfor %}
    from (
        select
            business_date,
            facility_kind,
            facility_key,
            days_past_due,
            outstanding_amount,
            amount_basis
        from {{ ref('int_facility') }}
    ) as facility
    inner join debtors
        on
            facility.business_date = debtors.business_date
            and facility.facility_kind = debtors.facility_kind
            and facility.facility_key = debtors.facility_key
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
    case
        {% for rule, _ in by_class.rules -%}
            when fires_{{ rule }} then '{{ rule }}'
        {% endfor -%}
    end as gravest_rule,
    concat_ws(
        ';',
        {% for rule in unknown -%}
            case when unknown_{{ rule }} then '{{ rule }}' end{{ ',' if not loop.last }}
        {% endfor -%}
    ) as rules_not_evaluable
from levels
