{#- The name of a case: sixteen letters that follow from what it is about, so that it never changes. Digits alone, of which
    some names would be, may look like a bank card. -#}
{% macro case_key(text) -%}
    translate(substr(md5({{ text }}), 1, 16), '0123456789abcdef', 'abcdefghijklmnop')
{%- endmacro %}
