{#-
  The source contracts that marts rest on, each with domain, table, id and the columns that are summed for control.

  The names stand here because dbt learns while parsing what a model reads, and knows the generated sources only later; a
  source contract that is missing here stops the run. Contracts of the domain `evaluation` speak of what came after the
  business date: no mart may read them.
-#}
{% macro landed_contracts() -%}
    {%- set names = [
        ('card', 'account'),
        ('core', 'account'),
        ('core', 'account_holder'),
        ('core', 'party'),
        ('core', 'standing_order'),
        ('core', 'transaction'),
        ('loan', 'contract'),
        ('reference', 'district'),
    ] -%}
    {%- set control_sums = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name not in ['control', 'identity', 'evaluation'] -%}
            {%- if (node.source_name, node.name) not in names -%}
                {{ exceptions.raise_compiler_error(node.source_name ~ '.' ~ node.name ~ ' is not in macros/landed_contracts.sql') }}
            {%- endif -%}
            {%- do control_sums.update({(node.source_name, node.name): node.config.meta.control_sums}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set contracts = [] -%}
    {%- for domain, table in names -%}
        {%- do contracts.append({
            'domain': domain,
            'table': table,
            'id': domain ~ '.' ~ table,
            'control_sums': control_sums.get((domain, table)) or [],
        }) -%}
    {%- endfor -%}
    {{ return(contracts) }}
{%- endmacro %}
