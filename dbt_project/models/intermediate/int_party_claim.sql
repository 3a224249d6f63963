{% set attributes, sources = golden_attributes(), golden_sources() %}

with records as (
    {% for contract, stated in sources.items() -%}
        select
            record.party_id,
            record.business_date,
            record.contract,
            record.source,
            record.record_key,
            {% for attribute, type in attributes.items() -%}
                {% set value = 'stated.' ~ attribute if attribute in stated.attributes else 'null' -%}
                cast({{ value }} as {{ type }}) as {{ attribute }},
            {% endfor -%}
            {% for identifier in golden_identifiers() -%}
                {% if identifier in stated.identifiers -%}
                    stated.{{ identifier }}_token is not null as has_{{ identifier }},
                {% else -%}
                    false as has_{{ identifier }},
                {% endif -%}
            {% endfor -%}
            stated.valid_from as stated_on
        from {{ ref('int_record_party') }} as record
        inner join {{ ref(stated.history) }} as stated
            on
                record.source = stated.source
                and record.record_key = stated.{{ stated.key }}
                and record.business_date >= stated.valid_from
                and record.business_date < stated.valid_to
        where record.contract = '{{ contract }}' and record.role = '{{ stated.role }}'
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
),

-- Of the records of a party the one that changed last comes first.
ordered as (
    select
        *,
        count(*) over (partition by party_id, business_date) as records_of_party,
        row_number() over (
            partition by party_id, business_date
            order by
                stated_on desc nulls last,
                contract asc nulls last,
                source asc nulls last,
                record_key asc nulls last
        ) as recency
    from records
),

priorities as (
    select
        {% for attribute in attributes -%}
            max(case when attribute = '{{ attribute }}' then priority end) as {{ attribute }},
        {% endfor -%}
        contract
    from {{ source('control', 'survivorship') }}
    group by contract
)

-- A rank is lowest for the record that is believed: by the priority of its contract, then by recency. Without a rank a
-- record states nothing, or is not asked.
select
    ordered.party_id,
    ordered.business_date,
    ordered.contract,
    ordered.source,
    ordered.record_key,
    {% for attribute in attributes -%}
        ordered.{{ attribute }},
        case
            when ordered.{{ attribute }} is not null
                then priorities.{{ attribute }} * (ordered.records_of_party + 1) + ordered.recency
        end as {{ attribute }}_rank,
    {% endfor -%}
    {% for identifier in golden_identifiers() -%}
        ordered.has_{{ identifier }},
    {% endfor -%}
    ordered.stated_on
from ordered
left join priorities
    on ordered.contract = priorities.contract
