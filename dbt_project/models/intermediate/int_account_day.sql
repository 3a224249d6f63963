{{
    config(
        materialized='incremental',
        partition_by='business_date' if target.type == 'spark' else none,
    )
}}

select
    source,
    account_key,
    {% for measure, predicate in flow_measures().items() -%}
        {% if measure.endswith('_amount') -%}
            cast(coalesce(sum(amount) filter (where {{ predicate }}), 0) as decimal(18, 2)) as {{ measure }},
        {%- else -%}
            cast(count(*) filter (where {{ predicate }}) as bigint) as {{ measure }},
        {%- endif %}
    {% endfor -%}
    business_date
from {{ source('core', 'transaction') }}
where _change = 'upsert' and {{ in_run('business_date') }}
group by source, account_key, business_date
