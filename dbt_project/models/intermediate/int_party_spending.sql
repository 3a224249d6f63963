-- The days from which on the bank knows what purchases were for.
with categorised as (
    select
        as_of.business_date,
        min(account_day.business_date) as first_row_on,
        as_of.business_date as delivered_through
    from {{ ref('int_as_of_date') }} as as_of
    left join {{ ref('int_account_day') }} as account_day
        on
            as_of.business_date >= account_day.business_date
            and account_day.categorised_count > 0
    group by as_of.business_date
)

select
    party.party_id,
    party.business_date,
    {% for category in spending_categories() -%}
        {%- set measure = category ~ '_amount_90d' -%}
        {{ once_delivered('categorised.first_row_on', 'flow.' ~ measure, type='decimal(18, 2)') }} as {{ measure }},
    {% endfor -%}
    {{ delivered_share('categorised', 'party.business_date', 90) }} as spending_completeness
from {{ ref('int_party') }} as party
inner join categorised
    on party.business_date = categorised.business_date
left join {{ ref('int_party_flow') }} as flow
    on party.party_id = flow.party_id and party.business_date = flow.business_date
