{% set said = ['tag', 'domain', 'label_zh', 'label_en', 'description', 'rule', 'kind', 'refresh', 'owner'] %}

with tags as (
    {% for tag in tag_definitions() -%}
        select
            {% for field in said -%}
                '{{ tag[field] | replace("'", "''") }}' as {{ field }},
            {% endfor -%}
            '{{ tag.purposes | join(";") }}' as purposes,
            '{{ tag.since }}' as since
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    dates.business_date,
    tags.tag,
    tags.domain,
    tags.label_zh,
    tags.label_en,
    tags.description,
    tags.rule,
    tags.kind,
    tags.refresh,
    tags.owner,
    tags.purposes,
    tags.since
from {{ ref('int_as_of_date') }} as dates
cross join tags
