{{ config(materialized='view') }}

{% for attribute in golden_attributes() -%}
    select
        party_id,
        business_date,
        '{{ attribute }}' as attribute_name,
        cast({{ attribute }} as string) as value,
        contract,
        source,
        record_key,
        stated_on
    from (
        select
            *,
            min({{ attribute }}_rank) over (partition by party_id, business_date) as first_rank
        from {{ ref('int_party_claim') }}
    ) as claims
    where {{ attribute }}_rank = first_rank
    {% if not loop.last -%}
        union all
    {% endif -%}
{% endfor %}
