{% set purposes = lawful_purposes() %}
{% set classes = lawful_classes() %}
{% set others = ['bureau_query', 'sensitive_processing', 'automated_marketing'] %}

with rules as (
    select
        {% for name, purpose in purposes.items() -%}
            {% for class in classes -%}
                max(needs) filter (where purpose = '{{ purpose }}' and data_class = '{{ class }}')
                    as {{ name }}_{{ class }}_needs,
            {% endfor -%}
            max(case when purpose = '{{ purpose }}' and minors_refused then 1 else 0 end) = 1
                as {{ name }}_refuses_minors
            {{- ',' if not loop.last }}
        {% endfor %}
    from {{ source('control', 'lawful_use') }}
),

bases as (
    select
        {% for name, purpose in purposes.items() -%}
            max(basis) filter (where purpose = '{{ purpose }}') as {{ name }}_basis{{ ',' if not loop.last }}
        {% endfor %}
    from {{ source('control', 'legal_basis') }}
),

words as (
    select
        party_id,
        {% for name, purpose in purposes.items() -%}
            {{ consent_word("purpose = '" ~ purpose ~ "'") }} as {{ name }}_word,
            {% for class in classes -%}
                {{ consent_word("purpose = '" ~ purpose ~ "' and data_class = '" ~ class ~ "'") }}
                    as {{ name }}_{{ class }}_word,
            {% endfor -%}
        {% endfor -%}
        {% for purpose in others -%}
            {{ consent_word("purpose = '" ~ purpose ~ "'") }} as {{ purpose }}_word,
        {% endfor -%}
        business_date
    from {{ ref('int_consent') }}
    group by party_id, business_date
),

parties as (
    select
        party.party_id,
        as_of.business_date,
        party.party_kind,
        golden.party_id is not null as has_customer_360,
        coalesce(golden.age_years < {{ policy('consent.minor_age_years') }}, false) as is_minor,
        delivered.first_row_on as consents_from,
        rules.*,
        bases.*,
        {% for name in purposes -%}
            words.{{ name }}_word,
            {% for class in classes -%}
                words.{{ name }}_{{ class }}_word,
            {% endfor -%}
        {% endfor -%}
        {% for purpose in others -%}
            words.{{ purpose }}_word{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_as_of_date') }} as as_of
    inner join {{ source('identity', 'party') }} as party
        on as_of.business_date >= party.founded_on
    inner join {{ ref('int_delivery_as_of') }} as delivered
        on as_of.business_date = delivered.business_date and delivered.contract = 'consent.event'
    cross join rules
    cross join bases
    left join {{ ref('int_party') }} as golden
        on party.party_id = golden.party_id and as_of.business_date = golden.business_date
    left join words
        on party.party_id = words.party_id and as_of.business_date = words.business_date
),

refusals as (
    select
        party_id,
        business_date,
        has_customer_360,
        party_kind,
        is_minor,
        consents_from is not null as consents_known,
        {{ lawful_words(purposes, classes, others) }} as consents,
        {% for name in purposes -%}
            is_minor and {{ name }}_refuses_minors as {{ name }}_minor,
            {% for class in classes -%}
                {{ lawful_refusal(name, class) }} as {{ name }}_{{ class }}_refusal,
            {% endfor -%}
        {% endfor -%}
        coalesce(party_kind = 'person' and automated_marketing_word = 'withdrawn', false) as automated_withdrawn
    from parties
)

select
    party_id,
    business_date,
    has_customer_360,
    party_kind,
    is_minor,
    consents_known,
    consents,
    {% for name in purposes -%}
        {% for class in classes -%}
            not {{ name }}_minor and {{ name }}_{{ class }}_refusal is null as {{ name }}_{{ class }},
        {% endfor -%}
    {% endfor -%}
    not marketing_minor and marketing_basic_refusal is null and not automated_withdrawn as marketing_automated,
    {% for name in purposes -%}
        nullif(concat_ws(
            ';',
            {% for class in classes -%}
                case when {{ name }}_minor then '{{ class }}:minor' end,
                '{{ class }}:' || {{ name }}_{{ class }}_refusal{{ ',' if not loop.last or name == 'marketing' }}
            {% endfor -%}
            {% if name == 'marketing' -%}
                case when marketing_minor or marketing_basic_refusal is not null then 'automated:basic' end,
                case when automated_withdrawn then 'automated:withdrawn' end
            {%- endif %}
        ), '') as {{ name }}_refusals{{ ',' if not loop.last }}
    {% endfor %}
from refusals
