{#- given: in force for something that meets the condition; withdrawn: for nothing of what was said; empty: nothing was. -#}
{% macro consent_word(condition) -%}
    case
        when count(*) filter (where {{ condition }} and is_given) > 0 then 'given'
        when count(*) filter (where {{ condition }}) > 0 then 'withdrawn'
    end
{%- endmacro %}

{#- What a party said, by the name of the column that holds it. -#}
{% macro lawful_words() -%}
    {% set words = {} -%}
    {% for name, purpose in lawful_purposes().items() -%}
        {% do words.update({name ~ '_word': "purpose = '" ~ purpose ~ "'"}) -%}
        {% for class in lawful_classes() -%}
            {% set condition = "purpose = '" ~ purpose ~ "' and data_class = '" ~ class ~ "'" -%}
            {% do words.update({name ~ '_' ~ class ~ '_word': condition}) -%}
        {% endfor -%}
    {% endfor -%}
    {% for purpose in ['bureau_query', 'sensitive_processing', 'automated_marketing'] -%}
        {% do words.update({purpose ~ '_word': "purpose = '" ~ purpose ~ "'"}) -%}
    {% endfor -%}
    {{ return(words) }}
{%- endmacro %}

{#- What a party said, as <purpose>=<word> and <purpose>.<class>=<word>, joined by semicolons. -#}
{% macro lawful_words_told() -%}
    nullif(concat_ws(
        ';',
        {% for name, purpose in lawful_purposes().items() -%}
            '{{ purpose }}=' || {{ name }}_word,
            {% for class in lawful_classes() -%}
                '{{ purpose }}.{{ class }}=' || {{ name }}_{{ class }}_word,
            {% endfor -%}
        {% endfor -%}
        {% for purpose in ['bureau_query', 'sensitive_processing', 'automated_marketing'] -%}
            '{{ purpose }}=' || {{ purpose }}_word{{ ',' if not loop.last }}
        {% endfor %}
    ), '')
{%- endmacro %}
