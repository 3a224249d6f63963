select
    party_id,
    {% for kind in ['national_id', 'phone', 'uscc'] -%}
        max(case when kind = '{{ kind }}' then 1 else 0 end) as by_{{ kind }},
    {% endfor -%}
    business_date
from {{ ref('int_identifier_party') }}
group by party_id, business_date
