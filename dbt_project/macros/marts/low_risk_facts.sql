{#-
  What the rules of a low-risk list look at, of every customer: the common table expressions up to `facts`. `warning`
  and `class` are the models whose word counts, `pd` an expression and `joins` what it and `more` columns are taken
  from; `permissions` are the columns of lawful_use that marketing needs for what the list rests on.
-#}
{% macro low_risk_facts(warning, class, pd, joins, permissions, more=[]) -%}
parties as (
    select
        customer.party_id,
        customer.business_date,
        customer.party_kind,
        customer.age_years,
        customer.accounts_owned,
        customer.relationship_days,
        customer.penalty_interest_count_365d,
        customer.balance_min_365d,
        customer.days_past_due,
        customer.applications_declined_365d,
        regularity.income_variation,
        coalesce(regularity.income_periods, 0) as income_periods,
        coalesce(regularity.income_amount_180d, 0) as income_180d,
        -- Six monthly payments against the income of 180 days.
        customer.loan_monthly_payment * 6 as payments_180d,
        coalesce(customer.relationship_days >= {{ policy('low_risk.min_history_days') }}, false) as has_history,
        {{ pd }} as pd,
        coalesce(classified.is_evaluable, false) as class_is_evaluable,
        classified.worst_class,
        {{ level_of_class('classified.worst_class') }} as class_level,
        warning.severity as warning_severity,
        case warning.severity when 'none' then 0 when 'yellow' then 1 when 'red' then 2 end as warning_level,
        {% for column in more -%}
            {{ column }},
        {% endfor -%}
        coalesce({{ permissions | map('replace', 'marketing_', 'lawful.marketing_') | join(' and ') }}, false)
            as may_be_marketed
    from {{ ref('customer_360') }} as customer
    left join {{ ref('int_party_regularity') }} as regularity
        on customer.party_id = regularity.party_id and customer.business_date = regularity.business_date
    left join {{ ref('lawful_use') }} as lawful
        on customer.party_id = lawful.party_id and customer.business_date = lawful.business_date
    left join {{ ref(class) }} as classified
        on customer.party_id = classified.party_id and customer.business_date = classified.business_date
    left join {{ ref(warning) }} as warning
        on customer.party_id = warning.party_id and customer.business_date = warning.business_date
    {% for name, relation in joins.items() -%}
        left join {{ relation }} as {{ name }}
            on customer.party_id = {{ name }}.party_id and customer.business_date = {{ name }}.business_date
    {% endfor -%}
    where customer.customer_status = 'customer'
),

facts as (
    select
        *,
        case
            when payments_180d = 0 then cast(0 as decimal(9, 4))
            when income_180d = 0 then cast(null as decimal(9, 4))
            -- The column holds no more; so far beyond any limit the difference says nothing.
            when payments_180d >= income_180d * 99999 then cast(99999.9999 as decimal(9, 4))
            else {{ quotient('payments_180d', 'income_180d', scale=4, type='decimal(9, 4)') }}
        end as debt_service_ratio
    from parties
),
{%- endmacro %}
