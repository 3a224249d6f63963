{#-
  Which business dates this run is about: from ZHONGTAI_FROM to ZHONGTAI_TO, ISO dates in the environment.

  They are read only when a model is executed. An environment variable read while dbt parses is remembered, and the
  project is parsed again whenever it changes; this way a night that differs only in its date keeps the parsed project.
-#}

{% macro run_from() -%}
    cast('{{ env_var('ZHONGTAI_FROM') if execute }}' as date)
{%- endmacro %}

{% macro run_to() -%}
    cast('{{ env_var('ZHONGTAI_TO') if execute }}' as date)
{%- endmacro %}

{#- Predicate of an incremental fact: the dates of the run, or every date up to its end where the fact is built anew. -#}
{% macro in_run(business_date) -%}
    {%- if is_incremental() -%}
        {{ business_date }} between {{ run_from() }} and {{ run_to() }}
    {%- else -%}
        {{ business_date }} <= {{ run_to() }}
    {%- endif -%}
{%- endmacro %}

{#-
  Incremental strategy on DuckDB: the dates of the run are replaced as a whole. Replacing by key would leave a date in
  place that has no row any more, for example after a corrected delivery. Spark overwrites partitions.
-#}
{% macro get_incremental_replace_run_dates_sql(arg_dict) -%}
    {%- set columns = arg_dict.dest_columns | map(attribute='name') | join(', ') -%}
    delete from {{ arg_dict.target_relation }}
    where business_date between {{ run_from() }} and {{ run_to() }};

    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict.temp_relation }}
{%- endmacro %}
