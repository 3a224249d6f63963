{#-
  The rules of the five categories, the gravest first within each kind of ground: which class a rule asks for at least, its
  article, and when it fires, a predicate over the columns of int_facility_classification.

  frc: 商业银行金融资产风险分类办法 (2023), articles 7 and 10 to 13. card: 商业银行信用卡业务监督管理办法 (2011), article 92.
  The number after the dot is the item of the article. Items that ask for what nobody delivers (use of funds, restructuring,
  ratings, expected losses, evasion of debts, liquidation) are not here.
-#}
{% macro classification_rules() -%}
    {%- set loan, card, debtor = "facility_kind = 'loan'", "facility_kind = 'card'", 'is_non_retail' -%}
    {%- set over = 'days_past_due > ' -%}
    {{ return({
        'overdue_loss': ('overdue', 'loss', 'frc.13.1', loan ~ ' and ' ~ over ~ policy('classification.loss_days')),
        'overdue_doubtful': (
            'overdue', 'doubtful', 'frc.12.1', loan ~ ' and ' ~ over ~ policy('classification.doubtful_days'),
        ),
        'overdue_substandard': (
            'overdue', 'substandard', 'frc.11.1', loan ~ ' and ' ~ over ~ policy('classification.substandard_days'),
        ),
        'overdue': (
            'overdue', 'special_mention', 'frc.10.1',
            loan ~ ' and ' ~ over ~ policy('classification.technical_overdue_days'),
        ),
        'technical_overdue': (
            'overdue', 'normal', 'frc.10.1',
            loan ~ ' and ' ~ over ~ '0 and days_past_due <= ' ~ policy('classification.technical_overdue_days'),
        ),
        'card_loss': ('overdue', 'loss', 'card.92.5', card ~ ' and ' ~ over ~ policy('classification.card_loss_days')),
        'card_doubtful': (
            'overdue', 'doubtful', 'card.92.4', card ~ ' and ' ~ over ~ policy('classification.card_doubtful_days'),
        ),
        'card_substandard': (
            'overdue', 'substandard', 'card.92.3',
            card ~ ' and ' ~ over ~ policy('classification.card_substandard_days'),
        ),
        'card_overdue': ('overdue', 'special_mention', 'card.92.2', card ~ ' and ' ~ over ~ '0'),
        'impaired_dishonest_debtor': (
            'impairment', 'substandard', 'frc.11.2',
            'dishonest_entries >= ' ~ policy('classification.impairing_dishonest_entries'),
        ),
        'impaired_enforcement': (
            'impairment', 'substandard', 'frc.11.2',
            'open_enforcements >= ' ~ policy('classification.impairing_enforcements'),
        ),
        'cross_default': (
            'cross_default', 'substandard', 'frc.7', debtor ~ ' and is_cross_default',
        ),
        'late_at_all_banks': (
            'cross_default', 'substandard', 'frc.11.4', debtor ~ ' and is_late_at_all_banks',
        ),
        'non_performing_here': (
            'cross_default', 'special_mention', 'frc.10.4', debtor ~ ' and has_non_performing',
        ),
        'past_due_in_bureau': (
            'cross_default', 'special_mention', 'frc.10.4', debtor ~ ' and is_past_due_in_bureau',
        ),
    }) }}
{%- endmacro %}

{#- When a rule cannot be judged, over the same columns; the ladder of days past due stands or falls as a whole. -#}
{% macro classification_unknowns() -%}
    {{ return({
        'overdue': 'days_past_due is null',
        'impaired_dishonest_debtor': 'dishonest_entries is null',
        'impaired_enforcement': 'open_enforcements is null',
        'cross_default': 'is_non_retail and is_cross_default is null',
        'late_at_all_banks': 'is_non_retail and is_late_at_all_banks is null',
        'non_performing_here': 'is_non_retail and has_non_performing is null',
        'past_due_in_bureau': 'is_non_retail and is_past_due_in_bureau is null',
    }) }}
{%- endmacro %}

{#- The classes from the best to the worst; the place is the level. -#}
{% macro classes() -%}
    {{ return(['normal', 'special_mention', 'substandard', 'doubtful', 'loss']) }}
{%- endmacro %}

{#- The name of the class of a level that is an expression. -#}
{% macro class_of(level) -%}
    case {{ level }}{% for name in classes() %} when {{ loop.index0 }} then '{{ name }}'{% endfor %} end
{%- endmacro %}

{#- The level of the gravest rule of the given grounds that fires; normal where none does. -#}
{% macro gravest(grounds) -%}
    case
        {% for level in range(classes() | length - 1, 0, -1) -%}
            {%- set rules = [] -%}
            {%- for rule, (ground, class, _, _) in classification_rules().items() -%}
                {%- if ground in grounds and class == classes()[level] -%}{%- do rules.append('fires_' ~ rule) -%}{%- endif -%}
            {%- endfor -%}
            {%- if rules -%}
                when {{ rules | join(' or ') }} then {{ level }}
        {% endif -%}
        {%- endfor -%}
        else 0
    end
{%- endmacro %}

{#- The level of a class by its name; the other way round than class_of. -#}
{% macro level_of_class(class) -%}
    case {{ class }}{% for name in classes() %} when '{{ name }}' then {{ loop.index0 }}{% endfor %} end
{%- endmacro %}
