{#- The name of a case: sixteen hexadecimal digits that follow from what it is about, so that it never changes. -#}
{% macro case_key(text) -%}
    substr(md5({{ text }}), 1, 16)
{%- endmacro %}
