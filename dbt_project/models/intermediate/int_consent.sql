with latest as (
    select
        *,
        row_number() over (
            partition by party_id, business_date, purpose, data_class, partner
            order by place desc nulls last
        ) as recency
    from {{ ref('int_consent_event') }}
    where valid_from <= business_date
)

select
    party_id,
    business_date,
    purpose,
    data_class,
    partner,
    action = 'grant' as is_given
from latest
where recency = 1
