{% set rules = low_risk_rules() %}

with marketing as (
    select count(*) as marketing_bases
    from {{ source('control', 'legal_basis') }}
    where purpose = 'marketing'
),

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
        marketing.marketing_bases,
        regularity.income_variation,
        coalesce(regularity.income_periods, 0) as income_periods,
        coalesce(regularity.income_amount_180d, 0) as income_180d,
        -- Six monthly payments against the income of 180 days.
        customer.loan_monthly_payment * 6 as payments_180d,
        coalesce(customer.relationship_days >= {{ policy('low_risk.min_history_days') }}, false) as has_history
    from {{ ref('customer_360') }} as customer
    cross join marketing
    left join {{ ref('int_party_regularity') }} as regularity
        on
            customer.party_id = regularity.party_id
            and customer.business_date = regularity.business_date
    where customer.customer_status = 'customer'
),

ratios as (
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

verdicts as (
    select
        *,
        {% for rule, (passes, evaluable) in rules.items() -%}
            case
                when not ({{ evaluable }}) then 'not_evaluable'
                when {{ passes }} then 'pass'
                else 'fail'
            end as rule_{{ rule }},
        {% endfor -%}
        {{ policy('low_risk.not_evaluable_excludes') }} = 1 as not_evaluable_excludes
    from ratios
),

reasons as (
    select
        *,
        concat_ws(
            ';',
            {% for rule in rules -%}
                case
                    when rule_{{ rule }} = 'fail' then '{{ rule }}'
                    when rule_{{ rule }} = 'not_evaluable' and not_evaluable_excludes then '{{ rule }}:not_evaluable'
                end{{ ',' if not loop.last }}
            {% endfor -%}
        ) as against,
        -- Codes and their order are those of marketing_reason_codes in policy.yaml.
        concat_ws(
            ';',
            case when rule_regular_inflow = 'pass' then 'regular_income' end,
            case when income_variation <= {{ policy('low_risk.band_b_max_income_variation') }} then 'stable_income' end,
            case when relationship_days >= {{ policy('low_risk.long_relationship_days') }} then 'long_relationship' end
        ) as in_favour,
        case
            when
                income_variation <= {{ policy('low_risk.band_a_max_income_variation') }}
                and debt_service_ratio <= {{ policy('low_risk.band_a_max_debt_service_ratio') }}
                then 'A'
            when
                income_variation <= {{ policy('low_risk.band_b_max_income_variation') }}
                and debt_service_ratio <= {{ policy('low_risk.band_b_max_debt_service_ratio') }}
                then 'B'
            else 'C'
        end as band_if_included
    from verdicts
)

select
    party_id,
    business_date,
    'internal' as variant,
    {% for rule in rules -%}
        rule_{{ rule }},
    {% endfor -%}
    income_periods,
    income_variation,
    debt_service_ratio,
    against = '' as included,
    case when against = '' then band_if_included end as band,
    case when against = '' then in_favour end as inclusion_reasons,
    case when against <> '' then against end as exclusion_reasons,
    business_date as valid_from,
    {{ add_days('business_date', 'floor(' ~ policy('low_risk.validity_days') ~ ')') }} as valid_to
from reasons
