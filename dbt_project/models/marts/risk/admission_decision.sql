{% set rules = admission_rules() %}

with verdicts as (
    select
        party_id,
        business_date,
        case_key,
        occasion,
        {% for rule, (passes, evaluable, rejects) in rules.items() -%}
            {{ verdict(passes, evaluable) }} as rule_{{ rule }},
        {% endfor -%}
        opened_on
    from {{ ref('int_admission_fact') }}
),

reasons as (
    select
        *,
        {{ count_verdicts(rules, 'fail') }} as failing,
        {{ count_verdicts(rules, 'fail', weighted=true) }} as rejecting,
        {{ count_verdicts(rules, 'not_evaluable') }} as not_evaluable,
        concat_ws(
            ';',
            {% for rule in rules -%}
                case when rule_{{ rule }} = 'fail' then '{{ rule }}' end,
            {% endfor -%}
            {% for rule in rules -%}
                case when rule_{{ rule }} = 'not_evaluable' then '{{ rule }}:not_evaluable' end
                {{- ',' if not loop.last }}
            {% endfor -%}
        ) as reasons
    from verdicts
),

automatic as (
    select
        *,
        case
            when rejecting > 0 then 'reject'
            when failing > 0 or not_evaluable > {{ policy('admission.max_not_evaluable') }} then 'review'
            else 'admit'
        end as automatic_decision
    from reasons
),

said as (
    select
        automatic.party_id,
        automatic.business_date,
        human.verdict,
        human.decided_by,
        human.decided_on,
        human.reason,
        row_number() over (
            partition by automatic.party_id, automatic.business_date order by human.entry desc nulls last
        ) as recency
    from automatic
    inner join {{ source('control', 'admission_decision') }} as human
        on
            automatic.case_key = human.case_key
            and automatic.business_date >= human.decided_on
)

select
    automatic.party_id,
    automatic.business_date,
    automatic.case_key,
    automatic.occasion,
    automatic.opened_on,
    {% for rule in rules -%}
        automatic.rule_{{ rule }},
    {% endfor -%}
    cast(automatic.not_evaluable as bigint) as rules_not_evaluable,
    automatic.automatic_decision,
    nullif(automatic.reasons, '') as reasons,
    coalesce(said.verdict, automatic.automatic_decision) as decision,
    said.decided_by,
    said.decided_on,
    said.reason as decided_because
from automatic
left join said
    on
        automatic.party_id = said.party_id
        and automatic.business_date = said.business_date
        and said.recency = 1
