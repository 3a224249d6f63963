-- Counted from the files of the lake themselves, tombstones included, not from what ingest says it wrote.
{% for contract in landed_contracts() -%}
    {% set per_contract = loop -%}
    {% for measure in ['rows'] + contract.control_sums -%}
        {% set total = 'count(*)' if measure == 'rows' else 'coalesce(sum(' ~ measure ~ '), 0)' -%}
        select
            '{{ contract.id }}' as contract,
            source,
            business_date,
            '{{ measure }}' as measure,
            cast({{ total }} as decimal(38, 2)) as total
        from {{ source(contract.domain, contract.table) }}
        where business_date between {{ run_from() }} and {{ run_to() }}
        group by source, business_date
        {% if not (loop.last and per_contract.last) -%}
            union all
        {% endif -%}
    {% endfor -%}
{% endfor -%}
