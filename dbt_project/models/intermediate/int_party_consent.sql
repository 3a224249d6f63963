{% set purposes = ['marketing', 'data_sharing', 'bureau_query', 'automated_marketing', 'sensitive_processing'] %}

with given as (
    select
        party_id,
        {% for purpose in purposes -%}
            count(*) filter (where purpose = '{{ purpose }}') as {{ purpose }},
        {% endfor -%}
        business_date
    from {{ ref('int_consent') }}
    where is_given
    group by party_id, business_date
)

select
    party.party_id,
    party.business_date,
    {% for purpose in purposes -%}
        case when delivered.first_row_on is not null then coalesce(given.{{ purpose }}, 0) > 0 end
            as consent_{{ purpose }},
    {% endfor -%}
    cast(case when delivered.first_row_on is null then 0 else 1 end as decimal(9, 4)) as consent_completeness
from {{ ref('int_party') }} as party
inner join {{ ref('int_delivery_as_of') }} as delivered
    on party.business_date = delivered.business_date and delivered.contract = 'consent.event'
left join given
    on party.party_id = given.party_id and party.business_date = given.business_date
