{#-
  The source contracts that marts rest on, each with id, source relation, and the columns that are summed for control.

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
    {%- set generated = {} -%}
    {%- for node in graph.sources.values() if execute and node.source_name not in ['control', 'identity', 'evaluation'] -%}
        {%- do generated.update({(node.source_name, node.name): node.config.meta}) -%}
        {%- if (node.source_name, node.name) not in names -%}
            {{ exceptions.raise_compiler_error(node.source_name ~ '.' ~ node.name ~ ' is not in macros/landed_contracts.sql') }}
        {%- endif -%}
    {%- endfor -%}
    {%- set contracts = [] -%}
    {%- for domain, table in names -%}
        {%- do contracts.append({
            'id': domain ~ '.' ~ table,
            'relation': source(domain, table),
            'control_sums': generated.get((domain, table), {}).get('control_sums', []),
        }) -%}
    {%- endfor -%}
    {{ return(contracts) }}
{%- endmacro %}
