{#-
  The source contracts that marts rest on, each with domain, table, id and the columns that are summed for control.

  The names stand here because dbt learns while parsing what a model reads, and knows the generated sources only later; a
  source contract that is missing here stops the run. Contracts of the domain `evaluation` speak of what came after the
  business date: no mart may read them.
-#}
{% macro landed_contracts() -%}
    {%- set names = [
        ('bureau', 'credit_report'),
        ('card', 'account'),
        ('card', 'statement'),
        ('channel', 'app_event'),
        ('consent', 'event'),
        ('core', 'account'),
        ('core', 'account_holder'),
        ('core', 'ledger_control'),
        ('core', 'party'),
        ('core', 'standing_order'),
        ('core', 'transaction'),
        ('crm', 'campaign'),
        ('crm', 'contact'),
        ('crm', 'customer'),
        ('ecommerce', 'order'),
        ('environment', 'penalty'),
        ('judicial', 'case'),
        ('loan', 'application'),
        ('loan', 'collateral'),
        ('loan', 'contract'),
        ('loan', 'guarantee'),
        ('loan', 'repayment'),
        ('market', 'daily_turnover'),
        ('market', 'stall_lease'),
        ('medical', 'payment'),
        ('ops', 'audit_log'),
        ('payroll', 'agreement'),
        ('reference', 'district'),
        ('reference', 'product'),
        ('reference', 'staff'),
        ('registry', 'company'),
        ('registry', 'role'),
        ('service', 'complaint'),
        ('social_security', 'contribution'),
        ('supply_chain', 'invoice'),
        ('supply_chain', 'shipment'),
        ('survey', 'nps'),
        ('tax', 'filing'),
        ('wealth', 'holding'),
    ] -%}
    {%- set control_sums = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name not in ['control', 'identity', 'relation', 'history', 'evaluation'] -%}
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
