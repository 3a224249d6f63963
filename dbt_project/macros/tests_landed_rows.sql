{#- Whether the test that is running is one on a source, that is on the lake. -#}
{% macro tests_landed_rows() %}
    {{ return(model.sources | length > 0) }}
{% endmacro %}
