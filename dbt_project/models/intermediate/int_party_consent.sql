{% set purposes = ['marketing', 'data_sharing', 'bureau_query', 'automated_marketing', 'sensitive_processing'] %}

with said as (
    select
        party_id,
        {% for purpose in purposes -%}
            count(*) filter (where purpose = '{{ purpose }}' and is_given) as {{ purpose }},
        {% endfor -%}
        count(*) filter (where purpose = 'marketing' and not is_given) as marketing_taken_back,
        count(*) filter (where purpose = 'automated_marketing' and not is_given) as automated_marketing_taken_back,
        business_date
    from {{ ref('int_consent') }}
    group by party_id, business_date
)

select
    party.party_id,
    party.business_date,
    {% for purpose in purposes -%}
        case when delivered.first_row_on is not null then coalesce(said.{{ purpose }}, 0) > 0 end
            as consent_{{ purpose }},
    {% endfor -%}
    -- Who took a consent back and has given no other for the purpose has opted out; who never gave one has not.
    case
        when delivered.first_row_on is not null
            then
                coalesce(said.marketing_taken_back > 0 and said.marketing = 0, false)
                or coalesce(said.automated_marketing_taken_back > 0 and said.automated_marketing = 0, false)
    end as marketing_opt_out,
    cast(case when delivered.first_row_on is null then 0 else 1 end as decimal(9, 4)) as consent_completeness
from {{ ref('int_party') }} as party
inner join {{ ref('int_delivery_as_of') }} as delivered
    on party.business_date = delivered.business_date and delivered.contract = 'consent.event'
left join said
    on party.party_id = said.party_id and party.business_date = said.business_date
