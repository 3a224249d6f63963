with answers as (
    select
        record.party_id,
        record.business_date,
        answer.score,
        row_number() over (
            partition by record.party_id, record.business_date
            order by
                answer.answered_on desc nulls last,
                answer.business_date desc nulls last,
                answer.source asc nulls last,
                answer.response_key asc nulls last
        ) as recency
    from {{ ref('int_crm_party') }} as record
    inner join {{ ref('stg_survey__nps') }} as answer
        on
            record.customer_key = answer.customer_key
            and record.business_date >= answer.business_date
)

select
    party_id,
    business_date,
    score as last_nps_score,
    cast(1 as decimal(9, 4)) as survey_completeness
from answers
where recency = 1
