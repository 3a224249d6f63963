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

{#- given: in force for something that meets the condition; withdrawn: for nothing of what was said; empty: nothing was. -#}
{% macro consent_word(condition) -%}
    case
        when count(*) filter (where {{ condition }} and is_given) > 0 then 'given'
        when count(*) filter (where {{ condition }}) > 0 then 'withdrawn'
    end
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

{#- What a party said of anything that lawful_use asks, as <purpose or purpose.class>=<word>, joined by semicolons. -#}
{% macro lawful_words(purposes, classes, others) -%}
    nullif(concat_ws(
        ';',
        {% for name, purpose in purposes.items() -%}
            '{{ purpose }}=' || {{ name }}_word,
            {% for class in classes -%}
                '{{ purpose }}.{{ class }}=' || {{ name }}_{{ class }}_word,
            {% endfor -%}
        {% endfor -%}
        {% for purpose in others -%}
            '{{ purpose }}=' || {{ purpose }}_word{{ ',' if not loop.last }}
        {% endfor %}
    ), '')
{%- endmacro %}
