{#-
  The attributes of the golden record with their types, and the contracts whose records state them. Which contract is
  believed first, policy.yaml says (survivorship); an attribute is called as the column of each contract that states it.
-#}
{% macro golden_attributes() -%}
    {{ return({
        'gender': 'string',
        'birth_month': 'date',
        'district_key': 'string',
        'industry_code': 'string',
        'occupation': 'string',
        'education': 'string',
        'marital_status': 'string',
        'household_size': 'bigint',
        'annual_income': 'decimal(18, 2)',
        'channel_preference': 'string',
        'investor_risk_level': 'bigint',
    }) }}
{%- endmacro %}

{% macro golden_sources() -%}
    {{ return({
        'core.party': {
            'role': 'holder',
            'history': 'stg_core__party',
            'key': 'party_key',
            'attributes': ['gender', 'birth_month', 'district_key', 'industry_code', 'occupation'],
            'identifiers': ['national_id', 'phone', 'uscc', 'address'],
        },
        'crm.customer': {
            'role': 'customer',
            'history': 'stg_crm__customer',
            'key': 'customer_key',
            'attributes': [
                'district_key', 'occupation', 'education', 'marital_status', 'household_size', 'annual_income',
                'channel_preference', 'investor_risk_level',
            ],
            'identifiers': ['national_id', 'phone', 'email', 'address'],
        },
        'registry.company': {
            'role': 'company',
            'history': 'stg_registry__company',
            'key': 'registration_key',
            'attributes': ['district_key', 'industry_code'],
            'identifiers': ['uscc'],
        },
    }) }}
{%- endmacro %}

{#- Identifiers of which the golden record says whether one is known. -#}
{% macro golden_identifiers() -%}
    {{ return(['national_id', 'phone', 'email', 'address', 'uscc']) }}
{%- endmacro %}
