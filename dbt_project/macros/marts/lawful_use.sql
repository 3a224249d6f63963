{#-
  What lawful_use asks of each party, per purpose and class of data. Which need a class has, policy.yaml says
  (control.lawful_use); here is what each need means.
-#}
{% macro lawful_purposes() -%}
    {{ return({'marketing': 'marketing', 'risk': 'risk_management'}) }}
{%- endmacro %}

{#- The classes that are decided for a party as a whole; data of partners are, partner by partner (int_shared_record). -#}
{% macro lawful_classes() -%}
    {{ return(['basic', 'transaction', 'bureau', 'medical', 'public']) }}
{%- endmacro %}

{#- Why the purpose may not use data of the class, of the columns of `parties` in lawful_use; empty where it may. -#}
{% macro lawful_refusal(name, data_class) -%}
    {%- set basis = name ~ '_basis' -%}
    {%- set own = name ~ '_' ~ data_class ~ '_word' -%}
    {%- set unsaid = "when consents_from is null then 'consent_unknown'" -%}
    case {{ name }}_{{ data_class }}_needs
        when 'bank_basis' then case
            when {{ basis }} is null then 'no_basis'
            when {{ basis }} <> 'consent' or party_kind = 'organisation' then cast(null as string)
            {{ unsaid }}
            when {{ own }} is null then 'no_consent'
            when {{ own }} = 'withdrawn' then 'withdrawn'
        end
        when 'published' then case
            when {{ basis }} is null then 'no_basis'
            when party_kind = 'person' and {{ name }}_word = 'withdrawn' then 'withdrawn'
        end
        when 'bureau_authorisation' then case
            when {{ basis }} is null then 'no_basis'
            {{ unsaid }}
            when bureau_query_word is null then 'no_authorisation'
            when bureau_query_word = 'withdrawn' then 'withdrawn'
            {% if name != 'risk' -%}
            when coalesce({{ own }}, '') <> 'given' then 'not_authorised_for_purpose'
            {%- endif %}
        end
        when 'separate_consent' then case
            when {{ basis }} is null then 'no_basis'
            {{ unsaid }}
            when sensitive_processing_word is null then 'no_separate_consent'
            when sensitive_processing_word = 'withdrawn' then 'withdrawn'
        end
        else 'refused'
    end
{%- endmacro %}

{#- The need of every purpose and class, one row of constants. -#}
{% macro lawful_needs() -%}
    {% for name, purpose in lawful_purposes().items() -%}
        {% for class in lawful_classes() -%}
            max(needs) filter (where purpose = '{{ purpose }}' and data_class = '{{ class }}')
                as {{ name }}_{{ class }}_needs,
        {% endfor -%}
        max(case when purpose = '{{ purpose }}' and minors_refused then 1 else 0 end) = 1 as {{ name }}_refuses_minors
        {{- ',' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{% macro lawful_bases() -%}
    {% for name, purpose in lawful_purposes().items() -%}
        max(basis) filter (where purpose = '{{ purpose }}') as {{ name }}_basis{{ ',' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{% macro lawful_refusals() -%}
    {% for name in lawful_purposes() -%}
        is_minor and {{ name }}_refuses_minors as {{ name }}_minor,
        {% for class in lawful_classes() -%}
            {{ lawful_refusal(name, class) }} as {{ name }}_{{ class }}_refusal,
        {% endfor -%}
    {% endfor -%}
    coalesce(party_kind = 'person' and automated_marketing_word = 'withdrawn', false) as automated_withdrawn
{%- endmacro %}

{#- Every verdict, and of each purpose the reasons of all that are false. -#}
{% macro lawful_verdicts() -%}
    {% for name in lawful_purposes() -%}
        {% for class in lawful_classes() -%}
            not {{ name }}_minor and {{ name }}_{{ class }}_refusal is null as {{ name }}_{{ class }},
        {% endfor -%}
    {% endfor -%}
    not marketing_minor and marketing_basic_refusal is null and not automated_withdrawn as marketing_automated,
    {% for name in lawful_purposes() -%}
        nullif(concat_ws(
            ';',
            {% for class in lawful_classes() -%}
                case when {{ name }}_minor then '{{ class }}:minor' end,
                '{{ class }}:' || {{ name }}_{{ class }}_refusal{{ ',' if not loop.last or name == 'marketing' }}
            {% endfor -%}
            {% if name == 'marketing' -%}
                case when marketing_minor or marketing_basic_refusal is not null then 'automated:basic' end,
                case when automated_withdrawn then 'automated:withdrawn' end
            {%- endif %}
        ), '') as {{ name }}_refusals{{ ',' if not loop.last }}
    {% endfor -%}
{%- endmacro %}
