{% set attributes = [
    'occupation', 'education', 'marital_status', 'annual_income', 'channel_preference', 'investor_risk_level',
] %}

with profiles as (
    select
        party_id,
        business_date,
        {% for attribute in attributes -%}
            {{ attribute }},
        {% endfor -%}
        {{ count_known(attributes) }} as attributes_known
    from {{ ref('int_party') }}
)

select
    party_id,
    business_date,
    {% for attribute in attributes -%}
        {{ attribute }},
    {% endfor -%}
    {{ quotient('attributes_known', attributes | length, scale=4, type='decimal(9, 4)') }} as crm_completeness
from profiles
where attributes_known > 0
