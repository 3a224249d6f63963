{#-
  The axes of the portrait that are shares of signals: of each axis its categories in their order, of each category what
  speaks for it. A signal is a predicate over customer_360, unknown where what it looks at is; the columns that an axis
  looks at are listed beside, and none of them measures credit risk.
-#}
{% macro portrait_axes() -%}
    {%- set worker = "occupation not in ('student', 'retired')" -%}
    {%- set young, middle, retired = policy('portrait.young_age'), policy('portrait.middle_age'),
        policy('portrait.retirement_age') -%}
    {{ return({
        'need': {
            'columns': [
                'standing_orders', 'cards_held', 'household_amount_90d', 'credit_amount_90d', 'debit_amount_90d',
                'balance_avg_90d', 'wealth_positions', 'annual_income', 'insurance_amount_90d', 'marital_status',
                'travel_amount_90d',
            ],
            'categories': {
                'payment': ['standing_orders > 0', 'cards_held > 0', 'household_amount_90d > 0'],
                'saving': [
                    'credit_amount_90d > debit_amount_90d',
                    'balance_avg_90d >= ' ~ policy('portrait.idle_balance'),
                    'wealth_positions = 0',
                ],
                'investment': [
                    'wealth_positions > 0',
                    'balance_avg_90d >= ' ~ policy('portrait.idle_balance'),
                    'annual_income >= ' ~ policy('portrait.high_income'),
                ],
                'protection': [
                    'insurance_amount_90d > 0',
                    "marital_status = 'married'",
                    'travel_amount_90d >= ' ~ policy('portrait.travel_amount'),
                ],
            },
        },
        'life': {
            'columns': [
                'age_years', 'occupation', 'marital_status', 'income_amount_90d', 'household_amount_90d',
                'education_amount_90d', 'is_merchant', 'roles_held', 'app_days_30d',
            ],
            'categories': {
                'student': ["occupation = 'student'", 'age_years < ' ~ young, 'education_amount_90d > 0'],
                'young_worker': [
                    worker,
                    'age_years < ' ~ young,
                    'income_amount_90d > 0',
                    'app_days_30d >= ' ~ policy('portrait.active_app_days'),
                ],
                'family': [
                    "marital_status = 'married'",
                    'household_amount_90d > 0',
                    'age_years >= ' ~ young ~ ' and age_years < ' ~ retired,
                ],
                'business_owner': ['is_merchant', 'roles_held > 0', "occupation = 'self_employed'"],
                'mature': [
                    worker,
                    'income_amount_90d > 0',
                    'age_years >= ' ~ middle ~ ' and age_years < ' ~ retired,
                ],
                'retired': ["occupation = 'retired'", 'age_years >= ' ~ retired],
            },
        },
    }) }}
{%- endmacro %}

{#- How many predicates hold. -#}
{% macro count_holding(predicates) -%}
    {% for predicate in predicates -%}
        case when {{ predicate }} then 1 else 0 end{{ ' + ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The predicates, each in brackets: `is null` after an `and` would ask only for its last part. -#}
{% macro bracketed(predicates) -%}
    {%- set found = [] -%}
    {%- for predicate in predicates -%}
        {%- do found.append('(' ~ predicate ~ ')') -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The highest of the shares of an axis, empty where none is known. -#}
{% macro strongest_share(axis, categories) -%}
    {%- set shares = [] -%}
    {%- for category in categories -%}
        {%- do shares.append(axis ~ '_' ~ category) -%}
    {%- endfor -%}
    case
        when coalesce({{ shares | join(', ') }}) is not null
            then cast(greatest(coalesce({{ shares | join(', 0), coalesce(') }}, 0)) as decimal(9, 4))
    end
{%- endmacro %}
